"""The migrations alone build the database; the models must agree with what they build."""

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.script import ScriptDirectory

from clinic.core import db

TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname, tgrelid",
}


@pytest.fixture
def url(databases):
    made = databases.empty()
    yield made
    databases.discard(made)


def drawn(url):
    """Every table with its columns and the names of its constraints and indexes; triggers and types by name."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    look = sa.inspect(engine)
    tables = {
        table: (
            sorted((column["name"], str(column["type"]), column["nullable"]) for column in look.get_columns(table)),
            sorted(str(check["name"]) for check in look.get_check_constraints(table)),
            sorted(str(unique["name"]) for unique in look.get_unique_constraints(table)),
            sorted(str(index["name"]) for index in look.get_indexes(table)),
            sorted(str(key["constrained_columns"]) for key in look.get_foreign_keys(table)),
        )
        for table in look.get_table_names()
        if table != "alembic_version"
    }
    with engine.connect() as connection:
        return tables, list(connection.execute(sa.text(TRIGGERS[engine.dialect.name])).scalars())


def names(url):
    """The names of all tables and triggers: cheap to ask after each step."""
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names()) - {"alembic_version"}
        return tables, set(connection.execute(sa.text(TRIGGERS[engine.dialect.name])).scalars())


def test_up_down_and_up_again_gives_the_same_database(url):
    """Down step by step, so that a later revision cannot hide what an earlier one forgets to remove."""
    config = db.alembic_config(url)
    revisions = [found.revision for found in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]
    heights = {}
    for revision in revisions:
        db.upgrade(url, revision)
        heights[revision] = names(url)
    first = drawn(url)
    for revision in reversed(revisions[:-1]):
        command.downgrade(config, revision)
        assert names(url) == heights[revision]
    command.downgrade(config, "base")
    assert names(url) == (set(), set())
    db.upgrade(url)
    assert drawn(url) == first


@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
def test_the_models_ask_for_nothing_that_the_migrations_did_not_build(url):
    db.upgrade(url)
    command.check(db.alembic_config(url))
    assert drawn(url)[0]

"""Where every test finds its database, its clock and its application.

`TEST_DATABASE=sqlite` (the default) or `postgres` chooses the database. Whoever needs it first builds it with the
migrations, once per run; everybody else gets a copy.
"""

import gc
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from argon2 import PasswordHasher
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2 import FileSystemBytecodeCache

from clinic import create_app
from clinic.accounts import passwords
from clinic.audit import chain
from clinic.core import clock, db
from config import Testing
from tests import run_folder
from tests.client import AuditingClient
from tests.databases import KINDS, Databases

FACTORIES = Path(__file__).parent / "factories"
# Each area keeps its fixtures in tests/factories/<area>.py.
pytest_plugins = sorted(f"tests.factories.{path.stem}" for path in FACTORIES.glob("[a-z]*.py"))
# One may import another, so pytest hears of all of them before the first is imported.
pytest.register_assert_rewrite(*pytest_plugins)

RUN_FOLDER = "CHAIRTIME_TEST_RUN"


def pytest_configure(config: pytest.Config) -> None:
    """Make the run's folder in the process that the person started; its workers inherit the name."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN_FOLDER] = str(run_folder.make())
        # Workers must list their tests in the same order, also where a test is parametrised with a set.
        os.environ.setdefault("PYTHONHASHSEED", "0")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop what was started and leave nothing behind."""
    if not hasattr(config, "workerinput") and RUN_FOLDER in os.environ:
        _databases().stop()
        shutil.rmtree(os.environ.pop(RUN_FOLDER), ignore_errors=True)


# A busy machine is no fault of the code: how long an example takes is not judged here. The suite tries the same
# examples each time, so that it says the same of the same code; `make fuzz` searches on.
settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
settings.register_profile("fuzz", settings.get_profile("suite"), derandomize=False, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# The same algorithm, as cheap as it can be: the suite signs in and signs thousands of times.
passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

# The trail is sealed wherever a transaction is committed, also by tests that make no application.
chain.use_secrets([Testing.SECRET_KEY])


@pytest.fixture(autouse=True)
def _same_seal() -> Iterator[None]:
    """A test that makes an application of its own leaves its secret to nobody."""
    yield
    chain.use_secrets([Testing.SECRET_KEY])


# The files that take longest, first: at the end no worker is left alone with one of them.
_LONGEST = (
    "test_posts.py",
    "test_rooms.py",
    "test_crawl.py",
    "test_last_vial.py",
    "test_command.py",
    "test_strangers.py",
    "test_access.py",
    "test_killed.py",
    "test_backup.py",
    "test_revisions.py",
    "test_never_twice.py",
)
# A test that asks for none of these sees no database, and tells nothing new on the second kind.
_ON_A_DATABASE = {"databases", "database", "committed_db"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files first; on PostgreSQL without what SQLite has answered: no database, or a mark that says so."""
    ranks = {name: rank for rank, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.name, len(ranks)))
    if os.environ.get("TEST_DATABASE") != "postgres":
        return
    chosen = [
        item
        for item in items
        if _ON_A_DATABASE & set(getattr(item, "fixturenames", ())) and not item.get_closest_marker("sqlite_answers")
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let the collector look less often, and never at the program and its tests, which stay until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _databases() -> Databases:
    return KINDS[os.environ.get("TEST_DATABASE", "sqlite")](Path(os.environ[RUN_FOLDER]))


@pytest.fixture(scope="session")
def databases() -> Databases:
    """Makes databases, for the few tests that need their own."""
    return _databases()


@pytest.fixture(scope="session")
def _workers_database(databases: Databases) -> str:
    return databases.fresh()


@pytest.fixture
def committed_db(databases: Databases, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of its own for a test whose commits must be real: races, jobs, commands. Gives its address."""
    url = databases.fresh()
    db.init(url)
    yield url
    databases.discard(url)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[None]:
    """A database that forgets what the test did. Work in it with `db.session`.

    In a test that also asks for `committed_db` there is no session around it: work inside `db.unit_of_work()`, which
    is a savepoint here and a commit there. Factories do so always, and serve both.
    """
    if "committed_db" in request.fixturenames:
        request.getfixturevalue("committed_db")
        yield
        return
    engine = db.init(request.getfixturevalue("_workers_database"))
    db.enter_clinic(None)  # a request of an earlier test may have settled one
    with engine.connect() as connection:
        transaction = connection.begin()
        session = db.make_session(connection)
        # A commit or rollback inside ends a savepoint; the transaction around it is ours.
        session.join_transaction_mode = "create_savepoint"
        with db.using_session(session):
            yield
        session.close()
        transaction.rollback()


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application, with every page; its requests work in the database that the test asked for."""
    settings = type("Settings", (Testing,), {"DATABASE_URL": "sqlite://"})
    chosen = db._current_engine[:]
    made = create_app(settings)
    db._current_engine[:] = chosen
    made.test_client_class = AuditingClient
    made.jinja_env.bytecode_cache = FileSystemBytecodeCache(os.environ[RUN_FOLDER])
    return made


@pytest.fixture
def client(app: Flask, database: None) -> AuditingClient:
    """A browser that nobody has signed in with: `client.sign_in(nurse)`. It looks at every page it is given."""
    return cast("AuditingClient", app.test_client())


@pytest.fixture
def frozen_clock() -> Iterator[datetime]:
    """The clock stands still on an ordinary Tuesday morning; gives that instant."""
    instant = datetime(2025, 11, 18, 9, 0, tzinfo=UTC)
    with clock.standing_at(instant):
        yield instant

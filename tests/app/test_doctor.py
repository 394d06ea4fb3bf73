import pytest
import sqlalchemy as sa

from clinic import create_app, doctor
from clinic.core import db
from config import Production

SAFE = {
    "SECRET_KEY": "0f3c9a5be1d27764" * 3,
    "SESSION_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    "TRUSTED_HOSTS": ["clinic.example"],
    "MAX_CONTENT_LENGTH": 2_000_000,
}


def test_safe_settings_have_no_fault():
    assert not list(doctor.setting_faults(SAFE))


MAIL = {
    "SMTP_HOST": "mail.clinic.example",
    "SMTP_SECURITY": "starttls",
    "MAIL_FROM": "desk@clinic.example",
    "PUBLIC_URL": "https://clinic.example",
}


def test_safe_mail_has_no_fault():
    assert not list(doctor.setting_faults({**SAFE, **MAIL}))
    assert not list(doctor.setting_faults({**SAFE, **MAIL, "SMTP_HOST": "localhost", "SMTP_SECURITY": "none"}))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"SMTP_SECURITY": "none"}, "in the clear"),
        ({"SMTP_SECURITY": "ssl"}, "none of"),
        ({"MAIL_FROM": ""}, "MAIL_FROM"),
        ({"PUBLIC_URL": "http://clinic.example"}, "PUBLIC_URL"),
    ],
)
def test_unsafe_mail_is_named(change, named):
    (fault,) = doctor.setting_faults({**SAFE, **MAIL, **change})
    assert named in fault


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"DEBUG": True}, "Debug mode"),
        ({"TESTING": True}, "test suite"),
        ({"SECRET_KEY": ""}, "shorter than 32"),
        ({"SECRET_KEY": "a5be1d27764"}, "shorter than 32"),
        ({"SECRET_KEY": "changeme" * 5}, "easy to guess"),
        ({"SECRET_KEY": "x" * 40}, "easy to guess"),
        ({"SESSION_COOKIE_SECURE": False}, "SESSION_COOKIE_SECURE"),
        ({"SESSION_COOKIE_HTTPONLY": False}, "SESSION_COOKIE_HTTPONLY"),
        ({"SESSION_COOKIE_SAMESITE": None}, "SESSION_COOKIE_SAMESITE"),
        ({"WTF_CSRF_ENABLED": False}, "WTF_CSRF_ENABLED"),
        ({"TRUSTED_HOSTS": None}, "TRUSTED_HOSTS"),
        ({"MAX_CONTENT_LENGTH": None}, "MAX_CONTENT_LENGTH"),
    ],
)
def test_every_unsafe_setting_is_named(change, named):
    (fault,) = doctor.setting_faults({**SAFE, **change})
    assert named in fault


def database_faults():
    with db.engine().connect() as connection:
        return list(doctor.database_faults(connection))


def content_faults():
    with db.engine().connect() as connection:
        return list(doctor.content_faults(connection))


@pytest.fixture
def on(committed_db):
    """The database's kind, to choose what the test does."""
    return db.engine().dialect.name


def run(statement):
    with db.unit_of_work():
        db.session.execute(sa.text(statement))


def test_the_database_as_we_set_it_up_is_judged(on):
    """The tests' own PostgreSQL is fast and careless, and connects as its owner: the doctor must say so."""
    found = " ".join(database_faults())
    if on == "sqlite":
        assert not found
    else:
        assert all(word in found for word in ("fsync", "full_page_writes", "synchronous_commit", "superuser", "owns"))


def test_a_weakened_connection_is_named(on):
    weak = {
        "sqlite": {"PRAGMA synchronous=NORMAL": "synchronous", "PRAGMA foreign_keys=OFF": "foreign keys"},
        "postgresql": {"SET session_replication_role = replica": "guards"},
    }
    for statement, named in weak[on].items():
        with db.engine().connect() as connection:
            connection.connection.cursor().execute(statement)  # below SQLAlchemy, which would begin a transaction
            assert named in " ".join(doctor.database_faults(connection))
            connection.invalidate()  # no other test gets the weakened connection


@pytest.mark.parametrize(
    ("kind", "expected"), [("nfs4", "nfs4"), ("cifs", "cifs"), ("ext4", "ext4"), ("fuse.sshfs", "fuse.sshfs")]
)
def test_the_file_system_of_a_path_is_known(tmp_path, kind, expected):
    mounts = f"/dev/sda1 / xfs rw 0 0\nshare:/x {tmp_path} {kind} rw 0 0\nshare:/y {tmp_path}2 tmpfs rw 0 0\n"
    assert doctor.file_system(tmp_path / "chairtime.sqlite", mounts) == expected


def test_a_database_in_memory_is_named():
    engine = db.create_engine("sqlite://")
    with engine.connect() as connection:
        assert "in memory" in " ".join(doctor.database_faults(connection))
    engine.dispose()


def test_a_migrated_database_has_its_guards(on):
    assert not content_faults()


def test_a_missing_guard_is_named(on):
    run("DROP TRIGGER append_only_weight_update" + ("" if on == "sqlite" else " ON weight"))
    assert "append_only_weight_update" in " ".join(content_faults())


def test_a_sleeping_guard_is_named(on):
    if on == "postgresql":
        run("ALTER TABLE weight DISABLE TRIGGER append_only_weight_update")
        assert "append_only_weight_update" in " ".join(content_faults())
    else:
        assert "append_only_weight_replace" in doctor.guards(on)


def test_pending_migrations_are_named(on):
    run("UPDATE alembic_version SET version_num = '0001'")
    assert "Migrations are pending" in " ".join(content_faults())


def test_an_empty_database_is_pending(databases):
    engine = db.create_engine(databases.empty())
    with engine.connect() as connection:
        assert "stands at nothing" in " ".join(doctor.content_faults(connection))
    engine.dispose()


def test_a_demonstration_clinic_is_named(on, make_clinic):
    make_clinic(is_demo=True)
    assert "demonstration clinic" in " ".join(content_faults())


def test_a_database_that_does_not_answer_is_named():
    engine = db.create_engine("postgresql+psycopg://nobody@/nothing?host=/nonexistent")
    assert "cannot be asked" in " ".join(doctor.faults(SAFE, engine))


# --- production ------------------------------------------------------------------------------------------------------


def production(url, **settings):
    return type("Settings", (Production,), {**SAFE, "DATABASE_URL": url, **settings})


def test_production_does_not_start_with_an_unsafe_setting(committed_db):
    with pytest.raises(SystemExit, match="TRUSTED_HOSTS"):
        create_app(production(committed_db, TRUSTED_HOSTS=None))


def test_production_does_not_serve_a_demonstration_clinic(committed_db, make_clinic):
    make_clinic(is_demo=True)
    with pytest.raises(SystemExit, match="demonstration clinic"):
        create_app(production(committed_db))


def test_production_starts_when_all_is_safe(on, committed_db):
    if on == "sqlite":
        assert create_app(production(committed_db)).config["SESSION_COOKIE_NAME"] == "__Host-chairtime"
    else:
        with pytest.raises(SystemExit, match="superuser"):
            create_app(production(committed_db))


ELSEWHERE = {
    "OIDC_ISSUER": "https://login.clinic.example",
    "OIDC_CLIENT_ID": "chairtime",
    "OIDC_CLIENT_SECRET": "between the two of them",
    "PUBLIC_URL": "https://clinic.example",
}


def test_a_sign_in_elsewhere_that_is_whole_and_encrypted_has_no_fault():
    assert not list(doctor.setting_faults(SAFE | ELSEWHERE))


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"OIDC_ISSUER": "http://login.clinic.example"}, "OIDC_ISSUER"),
        ({"OIDC_CLIENT_SECRET": ""}, "OIDC_CLIENT_SECRET"),
        ({"PUBLIC_URL": ""}, "PUBLIC_URL"),
    ],
)
def test_names_what_a_sign_in_elsewhere_lacks(change, word):
    (fault,) = doctor.setting_faults(SAFE | ELSEWHERE | change)
    assert word in fault

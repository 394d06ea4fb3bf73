"""Judges the settings and the database: what is unsafe is named, what is safe is promised.

The same questions are asked by `clinic doctor` and, in production, at every start: an application that could lose a
save or show a chart to somebody else does not start.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError

from clinic.accounts import identity_provider
from clinic.accounts.models import Clinic
from clinic.areas import load_models
from clinic.core import db
from clinic.core.recorded import Recorded

SHORTEST_SECRET = 32
_WEAK_SECRETS = ("testing-only", "changeme", "change-me", "development", "secret", "default", "example")
_NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs"}
)


def faults(config: Mapping[str, Any], engine: Engine) -> list[str]:
    """Everything that is unsafe, one sentence each."""
    found = [*setting_faults(config)]
    try:
        with engine.connect() as connection:
            found += [*database_faults(connection), *content_faults(connection)]
    except SQLAlchemyError as error:
        found.append(f"The database cannot be asked ({type(error).__name__}): check DATABASE_URL.")
    return found


def refuse_unsafe(config: Mapping[str, Any], engine: Engine) -> None:
    """End the process, naming every fault, unless there is none."""
    found = faults(config, engine)
    if found:
        lines = "\n".join(f"  - {fault}" for fault in found)
        raise SystemExit(
            f"Chairtime does not start in production with unsafe settings:\n{lines}\nSee docs/settings.md."
        )


# --- settings --------------------------------------------------------------------------------------------------------


def setting_faults(config: Mapping[str, Any]) -> Iterator[str]:
    """What is unsafe in the configuration itself."""
    answers = {
        "Debug mode is on: it shows code and data in the browser. Unset FLASK_DEBUG.": config.get("DEBUG"),
        "The configuration is the test suite's. Set CHAIRTIME_ENV=production.": config.get("TESTING"),
        "Cookies travel over plain HTTP: SESSION_COOKIE_SECURE is off. Set CHAIRTIME_ENV=production.": not config.get(
            "SESSION_COOKIE_SECURE"
        ),
        "Scripts can read the cookie: SESSION_COOKIE_HTTPONLY is off.": not config.get("SESSION_COOKIE_HTTPONLY"),
        "Cookies travel with other sites' forms: SESSION_COOKIE_SAMESITE is not set.": config.get(
            "SESSION_COOKIE_SAMESITE"
        )
        not in {"Lax", "Strict"},
        "Forms carry no token: WTF_CSRF_ENABLED is off.": not config.get("WTF_CSRF_ENABLED", True),
        "TRUSTED_HOSTS is not set: a made-up host name would be believed.": not config.get("TRUSTED_HOSTS"),
        "MAX_CONTENT_LENGTH is not set: one request could fill the memory.": not config.get("MAX_CONTENT_LENGTH"),
    }
    yield from (fault for fault, is_unsafe in answers.items() if is_unsafe)
    yield from _secret_faults(str(config.get("SECRET_KEY") or ""))
    yield from _mail_faults(config)
    yield from identity_provider.setting_faults(config)


def _secret_faults(secret: str) -> Iterator[str]:
    if len(secret) < SHORTEST_SECRET:
        yield f"The secret is shorter than {SHORTEST_SECRET} characters. Leave SECRET_KEY empty, and one is made."
    elif len(set(secret)) < 8 or any(weak in secret.lower() for weak in _WEAK_SECRETS):  # noqa: PLR2004 of hex's 16
        yield "The secret is a default or easy to guess. Leave SECRET_KEY empty, and one is made."


def _mail_faults(config: Mapping[str, Any]) -> Iterator[str]:
    host = config.get("SMTP_HOST")
    if not host:
        return  # no mail leaves
    security = config.get("SMTP_SECURITY")
    if security not in {"starttls", "tls", "none"}:
        yield "SMTP_SECURITY is none of starttls, tls and none."
    if security == "none" and host not in {"localhost", "127.0.0.1", "::1"}:
        yield "Mail would travel in the clear: SMTP_SECURITY is none for a server on another machine."
    if "@" not in str(config.get("MAIL_FROM")):
        yield "MAIL_FROM is not set: mail needs an address that it comes from."
    if not str(config.get("PUBLIC_URL")).startswith("https://"):
        yield "PUBLIC_URL does not begin with https://: links in mails would be open on their way."


# --- the database ----------------------------------------------------------------------------------------------------


def database_faults(connection: Connection) -> Iterator[str]:
    """What could lose a confirmed save, or let a record be changed."""
    if connection.dialect.name == "sqlite":
        yield from _sqlite_faults(connection)
    else:
        yield from _postgres_faults(connection)


_PRAGMAS = {
    "journal_mode": ({"wal"}, "the journal is not WAL"),
    "synchronous": ({"2", "3"}, "synchronous is not FULL, so a power cut could lose a confirmed save"),
    "foreign_keys": ({"1"}, "foreign keys are off"),
    "recursive_triggers": ({"1"}, "recursive_triggers is off, so a record could be replaced in silence"),
}


def _sqlite_faults(connection: Connection) -> Iterator[str]:
    for pragma, (safe, words) in _PRAGMAS.items():
        value = str(connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()).lower()
        if value not in safe:
            yield f"SQLite: {words} (PRAGMA {pragma} is {value})."
    name = connection.engine.url.database
    if not name or name == ":memory:":
        yield "SQLite: the database is in memory and ends with the process."
    elif (kind := file_system(Path(name))) in _NETWORK_FILE_SYSTEMS:
        yield f"SQLite: the database is on a network share ({kind}), where locks do not hold."


def file_system(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that a path is on, as the kernel names it; empty where that cannot be known."""
    if mounts is None:
        table = Path("/proc/self/mounts")
        mounts = table.read_text(encoding="utf-8", errors="replace") if table.exists() else ""
    best, kind = "", ""
    for line in mounts.splitlines():
        _, place, found, *_ = [*line.split(" "), "", ""]
        place = place.replace("\\040", " ")
        if Path(path).absolute().is_relative_to(place or "/nowhere") and len(place) >= len(best):
            best, kind = place, found
    return kind


_SERVER_SETTINGS = {
    "fsync": ({"on"}, "a power cut could destroy the database"),
    "full_page_writes": ({"on"}, "a power cut could tear a page"),
    "synchronous_commit": ({"on", "remote_apply", "remote_write", "local"}, "a confirmed save could be lost"),
    "session_replication_role": ({"origin"}, "the guards of the record do not run"),
}


def _postgres_faults(connection: Connection) -> Iterator[str]:
    for setting, (safe, words) in _SERVER_SETTINGS.items():
        value = str(connection.exec_driver_sql(f"SHOW {setting}").scalar())
        if value not in safe:
            yield f"PostgreSQL: {setting} is {value}: {words}."
    is_superuser = connection.exec_driver_sql("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").scalar()
    if is_superuser:
        yield "PostgreSQL: the application connects as a superuser, whom no guard stops. Give it a role of its own."
    owned = connection.exec_driver_sql(
        "SELECT count(*) FROM pg_tables WHERE tableowner = current_user AND schemaname = current_schema()"
    ).scalar()
    if owned:
        yield (
            "PostgreSQL: the application's role owns the tables and could drop the guards of the record. "
            "Migrate as the owner, serve as another role."
        )


# --- what is in it ---------------------------------------------------------------------------------------------------

_NEVER_DELETED = (
    "staff",
    "patient",
    "infusion_order",
    "order_version",
    "course",
    "appointment",
    "infusion_session",
    "note",
)
_FURTHER = frozenset(
    {
        "sealed_terms_update",
        "signed_note_text",
        "signed_note_status",
        "signed_order_version_status",
        "closed_infusion_session_status",
        "signed_note_of_closed_session",
        "discharge_after_undoing",
        "signed_order_version_signature_id",
        "fixed_infusion_session_patient_id",
    }
)


def content_faults(connection: Connection) -> Iterator[str]:
    """Pending migrations, missing guards, demonstration accounts."""
    heads = set(ScriptDirectory.from_config(db.alembic_config("")).get_heads())
    has_revisions = sa.inspect(connection).has_table("alembic_version")
    found = (
        set(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()) if has_revisions else set()
    )
    if found != heads:
        yield f"Migrations are pending: the database stands at {', '.join(found) or 'nothing'}. Run clinic db upgrade."
        return  # of tables that are not there nothing else can be said
    missing = sorted(guards(connection.dialect.name) - _triggers(connection))
    if missing:
        yield f"Guards of the record are missing: {', '.join(missing)}."
    demo = connection.execute(sa.select(Clinic.name).where(Clinic.is_demo)).scalars().all()
    if demo:
        yield f"The database holds a demonstration clinic ({', '.join(demo)}), whose password everybody knows."


def guards(dialect: str) -> set[str]:
    """The triggers without which a record could be changed: from the models, and those that the migrations add."""
    load_models()
    recorded = [mapper for mapper in db.Base.registry.mappers if issubclass(mapper.class_, Recorded)]
    kept = [*(str(mapper.local_table) for mapper in recorded), "audit_entry", "signature"]
    kinds = ("update", "replace") if dialect == "sqlite" else ("update",)
    return (
        {f"append_only_{table}_{kind}" for table in kept for kind in kinds}
        | {f"never_deleted_{table}" for table in (*kept, *_NEVER_DELETED)}
        | _FURTHER
    )


def _triggers(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    else:
        names = connection.exec_driver_sql(
            "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
        )
    return set(names.scalars())


def promises(url: str) -> list[str]:
    """What holds when there is no fault."""
    kind = "SQLite" if make_url(url).get_backend_name() == "sqlite" else "PostgreSQL"
    return [
        f"{kind}: a save confirmed on screen survives a crash of the process and a power cut.",
        "It does not survive the loss of this machine's disk: that needs a backup on another one.",
        "A line of the record or of the trail is never changed or deleted; the database refuses it.",
    ]

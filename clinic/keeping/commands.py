"""`clinic backup`, `clinic restore` and `clinic backup-key`."""

import os
import sys
from pathlib import Path

import click
import pyrage
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import current_app
from flask.cli import with_appcontext

from clinic.accounts.models import Clinic
from clinic.audit.adopting import adopt_rows
from clinic.audit.chain_rules import signing_key
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.requests import installation_secrets
from clinic.keeping import backup, importing, retention
from clinic.keeping.forms import CLASS_WORDS, UNIT_WORDS
from clinic.keeping.rows import BadBackup

_path = click.Path(path_type=Path)


@click.command("backup-key")
@click.argument("file", type=_path)
def backup_key_command(file: Path) -> None:
    """Make a key for backups: the secret half goes to FILE, the public half is shown.

    Keep FILE away from the server. Without it no backup can be opened, by anybody.
    """
    made = pyrage.x25519.Identity.generate()
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from error
    with open(handle, "w", encoding="ascii") as target:  # noqa: PTH123 pathlib cannot set the mode at birth
        target.write(f"{made}\n")
    click.echo(str(made.to_public()))


@click.command("backup")
@click.argument("file", type=_path)
@click.option("--to", "recipients", multiple=True, required=True, envvar="BACKUP_TO", help="A public key (age1…).")
@with_appcontext
def backup_command(file: Path, recipients: tuple[str, ...]) -> None:
    """Write everything to FILE, encrypted, while the clinic works."""
    try:
        keys = [pyrage.x25519.Recipient.from_str(recipient) for recipient in recipients]
        backup.make(file, keys, at=clock.now())
    except pyrage.RecipientError as error:
        raise click.ClickException("--to is no public key. clinic backup-key makes one.") from error
    except (BadBackup, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{file}: {file.stat().st_size} bytes")


@click.command("restore")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--key", "key_file", type=_path, required=True, help="The file that clinic backup-key wrote.")
@with_appcontext
def restore_command(file: Path, key_file: Path) -> None:
    """Bring FILE back into the empty database that DATABASE_URL names, and prove it: counts, references, the trail."""
    try:
        key = pyrage.x25519.Identity.from_str(key_file.read_text(encoding="ascii").strip())
        db.upgrade(current_app.config["DATABASE_URL"])
        counts = backup.restore(file, [key], db.engine())
    except (pyrage.IdentityError, UnicodeError) as error:
        raise click.ClickException(f"{key_file} is no key of clinic backup-key.") from error
    except (BadBackup, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{sum(counts.values())} rows in {len(counts)} tables are back, as many as the backup says.")
    _prove(AuditAction.BACKUP_RESTORED)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--signed-by",
    "key_file",
    type=_path,
    help="The key of the installation that made it (clinic audit key); not needed where that had the same secret.",
)
@with_appcontext
def import_command(file: Path, key_file: Path | None) -> None:
    """Bring the copy of a clinic (docs/export.md) into the empty database that DATABASE_URL names, and prove it."""
    try:
        publics = [signing_key(secret).public_key() for secret in installation_secrets()]
        if key_file is not None:
            publics = [_public_key(key_file)]
        db.upgrade(current_app.config["DATABASE_URL"])
        counts = importing.bring_in(file, db.engine(), publics=publics)
    except (BadBackup, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{sum(counts.values())} rows in {len(counts)} tables came in, as many as the list says.")
    click.echo("Nobody has a password yet: clinic staff link makes a person's first one.")
    _prove(AuditAction.EXPORT_IMPORTED)
    adopt_rows(at=clock.now())


def _public_key(file: Path) -> Ed25519PublicKey:
    try:
        found = load_pem_public_key(file.read_bytes())
    except ValueError:
        found = None
    if not isinstance(found, Ed25519PublicKey):
        raise click.ClickException(f"{file} is no key of clinic audit key.")
    return found


def _prove(act: AuditAction) -> None:
    broken = backup.prove(act, at=clock.now())
    if broken:
        for fault in broken:
            click.echo(f"The trail is broken: {fault.fault.value}.", err=True)
        click.echo(
            "Sealed with another secret? Give that one in SECRET_KEY_FALLBACKS, then clinic audit verify.", err=True
        )
        sys.exit(1)
    click.echo("The trail is sound.")


@click.group("retention")
def retention_group() -> None:
    """What is past the periods that a clinic set, and taking away what may go."""


@retention_group.command("report")
@with_appcontext
def report_command() -> None:
    """Say of every class how much is past its period. Nothing is taken away."""
    for clinic in _clinics():
        with db.in_clinic(clinic.id), db.unit_of_work(write=False):
            click.echo(clinic.name)
            for standing in retention.report(clinic, at=clock.now()):
                click.echo(f"  {_words(standing)}")


@retention_group.command("purge")
@click.option("--yes", "is_meant", is_flag=True, help="Take it away. Without it the command says what would go.")
@with_appcontext
def purge_command(*, is_meant: bool) -> None:
    """Take away what is past its period: ended sign-ins, dead links, proofs of answered saves, words of sent mails.

    The record, the trail and the register are never taken away, and nothing about a patient whose record is held.
    """
    for clinic in _clinics():
        with db.in_clinic(clinic.id), db.unit_of_work() as unit:
            gone = retention.purge(clinic, at=clock.now())
            if not is_meant:
                unit.rollback()
        told = ", ".join(f"{CLASS_WORDS[kind]} {number}" for kind, number in gone.items()) or "nothing"
        click.echo(f"{clinic.name}: {'gone' if is_meant else 'would go'}: {told}")


def _clinics() -> list[Clinic]:
    with db.unit_of_work(write=False):
        return list(db.session.scalars(sa.select(Clinic).order_by(Clinic.name)))


def _words(standing: retention.Standing) -> str:
    what = CLASS_WORDS[standing.kind]
    if standing.past is None or standing.period is None or standing.period.unit is None:
        return f"{what}: no period"
    held = f", {standing.held} held" if standing.held else ""
    kept = f"kept {standing.period.number} {UNIT_WORDS[standing.period.unit]}"
    return f"{what}: {kept}, {standing.past} past it{held}" + ("" if standing.is_purged else " (never taken away)")

"""`clinic backup`, `clinic restore` and `clinic backup-key`."""

import os
import sys
from pathlib import Path

import click
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from flask import current_app
from flask.cli import with_appcontext

from clinic.audit.chain_rules import signing_key
from clinic.audit.rules import AuditAction
from clinic.core import clock, db
from clinic.core.requests import installation_secrets
from clinic.keeping import backup, importing
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

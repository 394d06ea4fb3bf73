"""`clinic audit`: prove the trail, and write down elsewhere how far it has come."""

import sys
import uuid
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import current_app
from flask.cli import with_appcontext

from clinic.audit import verify
from clinic.audit.chain_rules import INSTALLATION, Broken, signing_key
from clinic.audit.row_digests import Told, differing
from clinic.core import clock, db

BROKEN, NOT_ASKED = 1, 2


@click.group("audit")
def audit() -> None:
    """Prove the trail."""


@audit.command("verify")
@click.option(
    "--checkpoint", "files", multiple=True, type=click.Path(path_type=Path), help="A file that was kept elsewhere."
)
@click.option(
    "--rows", "with_rows", is_flag=True, help="Also compare every row of the record with what the trail told."
)
@with_appcontext
def verify_command(files: tuple[Path, ...], *, with_rows: bool) -> None:
    """Walk every chain and name the first bad line of each; status 1 where one is broken, 2 for a bad checkpoint."""
    try:
        kept = [checkpoint for file in files for checkpoint in verify.read(file, _secrets())]
    except verify.BadCheckpoint as problem:
        click.echo(str(problem), err=True)
        sys.exit(NOT_ASKED)
    with db.unit_of_work(write=False):
        if db.engine().dialect.name == "postgresql":
            db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            db.session.connection().exec_driver_sql("SET LOCAL statement_timeout TO 0")
        heads = verify.checkpoints(db.session, at=clock.now())
        told: dict[uuid.UUID, Told] = {}
        found = verify.faults(db.session, kept, told)
        words = [_words(broken) for broken in found]
        if with_rows:
            words += [f"{name} {key}: {what}." for name, key, what in differing(db.session, told.values())]
    for line in words:
        click.echo(line)
    if words:
        sys.exit(BROKEN)
    click.echo(f"The trail is sound: {sum(head.number for head in heads)} lines in {len(heads)} chains.")
    if with_rows:
        click.echo("Every row of the record is as the trail told.")
    if not files:
        click.echo(
            "Without a checkpoint that was kept elsewhere, lines cut off at the end with their head are not seen."
        )


@audit.command("checkpoint")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write it; shown where this is missing.")
@with_appcontext
def checkpoint_command(out: Path | None) -> None:
    """Write how far every chain has come, signed. Keep it on another machine or on paper."""
    with db.unit_of_work(write=False):
        text = verify.written(verify.checkpoints(db.session, at=clock.now()), current_app.config["SECRET_KEY"])
    if out is None:
        click.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@audit.command("key")
@with_appcontext
def key_command() -> None:
    """Show the public key with which anybody can check the signature of a checkpoint (Ed25519, PEM)."""
    public = signing_key(current_app.config["SECRET_KEY"]).public_key()
    click.echo(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), nl=False)


def _secrets() -> list[str]:
    return [current_app.config["SECRET_KEY"], *(current_app.config["SECRET_KEY_FALLBACKS"] or ())]


def _words(broken: Broken) -> str:
    chain = "the installation" if broken.chain_id == INSTALLATION else f"clinic {broken.chain_id}"
    place = "" if broken.number is None else f", line {broken.number}"
    return f"The trail of {chain} is broken{place}: {broken.fault.value}."

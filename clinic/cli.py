"""The `clinic` command: Flask's own commands, the database, the demo clinic, cases, and the server."""

import os
import socket
import sys
import zoneinfo
from typing import Any

import click
from alembic import command
from alembic.util import CommandError
from flask import current_app
from flask.cli import FlaskGroup
from sqlalchemy.exc import OperationalError, ProgrammingError

from clinic import beside, create_unchecked_app, doctor
from clinic.accounts import operations as accounts
from clinic.accounts import queries, staff_operations
from clinic.accounts.models import Clinic, Staff
from clinic.accounts.rules import StaffStatus
from clinic.audit import chain
from clinic.audit import operations as audit_trail
from clinic.audit.adopting import adopt_rows, has_digests
from clinic.audit.commands import audit
from clinic.audit.rules import AuditAction
from clinic.cases.commands import cases
from clinic.checkpoints import Places, send_checkpoints
from clinic.core import clock, db
from clinic.core.errors import RuleBroken
from clinic.core.permissions import Role
from clinic.demo.commands import demo_command
from clinic.demo.fill import fill_when_empty, refuse_production
from clinic.jobs import outbox, plans
from clinic.keeping.commands import (
    backup_command,
    backup_key_command,
    import_command,
    restore_command,
    retention_group,
)
from clinic.notifications.mail import MailSettings, NoMailServer
from clinic.scheduling.commands import schedule


class Command(FlaskGroup):
    """Flask's own group, with one line for what the database refuses instead of a page of Python."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CommandError as error:
            raise click.ClickException(str(error)) from error
        except (OperationalError, ProgrammingError) as error:
            words = str(error.orig).strip().replace("\n", " ").replace("\t", " ")
            raise click.ClickException(
                f"The database refuses: {words}. Is it up to date (clinic db upgrade)?"
            ) from error


@click.group(cls=Command, create_app=create_unchecked_app, add_version_option=False)
def main() -> None:
    """Infusion session scheduling and tracking for pain clinics."""


main.add_command(audit)
main.add_command(cases)
main.add_command(backup_command)
main.add_command(backup_key_command)
main.add_command(restore_command)
main.add_command(import_command)
main.add_command(retention_group)
main.add_command(demo_command)
main.add_command(schedule)
main.add_command(outbox)
audit.add_command(send_checkpoints)
main.add_command(plans)


@main.group("db")
def database() -> None:
    """Look after the database that DATABASE_URL names."""


def _migrate(revision: str = "head") -> None:
    """Bring the database up to a revision; the steps that bring seals and digests apply them to what is there.

    No other one does: a line that lost its seal afterwards was tampered with.
    """
    was_sealed, had_digests = chain.has_seals(db.engine()), has_digests(db.engine())
    db.upgrade(_url(), revision)
    if not was_sealed and chain.has_seals(db.engine()):
        with db.unit_of_work():
            chain.adopt(db.session)
    if not had_digests and has_digests(db.engine()):
        adopt_rows(at=clock.now())


def _url() -> str:
    url: str = current_app.config["DATABASE_URL"]
    return url


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the database up to a revision, the newest by default."""
    _migrate(revision)


@database.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the database back to an earlier revision."""
    command.downgrade(db.alembic_config(_url()), revision)


@database.command()
def current() -> None:
    """Show the revision that the database stands at."""
    command.current(db.alembic_config(_url()))


@database.command()
def check() -> None:
    """Compare the database with the models."""
    command.check(db.alembic_config(_url()))


@main.command("doctor")
def examine() -> None:
    """Name every unsafe setting; exit status 1 when there is one."""
    found = doctor.faults(current_app.config, db.engine())
    for fault in found:
        click.echo(f"unsafe: {fault}")
    if found:
        click.echo(f"\n{len(found)} unsafe settings. In production the application would not start.")
        sys.exit(1)
    for promise in doctor.promises(_url()):
        click.echo(promise)


@main.group()
def staff() -> None:
    """Look after accounts from the machine itself, for example to add the first admin."""


@staff.command()
@click.option("--email", required=True, help="The name to sign in with.")
@click.option("--given-name", required=True)
@click.option("--family-name", required=True)
@click.option("--title", help="Stands before the name: Dr.")
@click.option("--credentials", help="Stand after the name: RN.")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice([role.value for role in Role]))
@click.option("--clinic", "clinic_name", help="The clinic; not needed where there is one.")
@click.option("--zone", help="Makes a clinic of that name in this time zone: Europe/Lisbon.")
def add(*, clinic_name: str | None, zone: str | None, roles: tuple[str, ...], **person: str | None) -> None:
    """Add a person and print a single-use link with which the person chooses a password."""
    at = clock.now()
    with db.unit_of_work():
        clinic = _clinic(clinic_name, zone)
        with db.in_clinic(clinic.id):
            try:
                made = accounts.create_staff(**person, roles=[Role(role) for role in roles], by=None, at=at)  # type: ignore[arg-type] # click names them as we do
            except RuleBroken as refusal:
                raise click.ClickException(refusal.message) from refusal
            token = staff_operations.invite(made, by=None, at=at)
    _say_link(made, token)


@staff.command()
@click.argument("email")
def link(email: str) -> None:
    """Print a single-use link with which a person chooses a password: after clinic import nobody has one."""
    with db.unit_of_work():
        person = queries.by_email(email.strip().lower())
        if person is None or person.status is StaffStatus.DISABLED:
            raise click.ClickException("Nobody who may work here has this address.")
        token = staff_operations.invite(person, by=None, at=clock.now())
        audit_trail.record(AuditAction.STAFF_CHANGED, person, actor_id=None, at=clock.now(), act="new password link")
    _say_link(person, token)


def _say_link(person: Staff, token: str) -> None:
    host = (current_app.config["TRUSTED_HOSTS"] or ["127.0.0.1:8000"])[0]
    scheme = "https" if current_app.config["IS_PRODUCTION"] else "http"
    click.echo(f"{person.name} chooses a password here, once, within three days:")
    click.echo(f"{scheme}://{host}/invitation/{token}")


def _clinic(name: str | None, zone: str | None) -> Clinic:
    found = queries.clinic_called(name) if name else queries.sole_clinic()
    if found is not None:
        return found
    if name and zone in zoneinfo.available_timezones():
        return accounts.create_clinic(name, zone=zone, at=clock.now())
    if name and zone:
        raise click.ClickException(f"{zone} is no time zone. Use a name such as Europe/Lisbon.")
    raise click.ClickException("Name the clinic with --clinic; a new one needs --zone too.")


_THIS_MACHINE = ("127.0.0.1", "localhost")
_PORT = click.IntRange(1, 65535)


def _refuse_unreachable(host: str, port: int) -> None:
    """Say in one line, before anything else is done, that the server could not listen there."""
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        words = str(error.strerror).partition(" (")[0]
        raise click.ClickException(
            f"Nothing can be served at {host}:{port}: {words}. "
            f"Choose another port with --port {port % 65535 + 1} (make run PORT={port % 65535 + 1})."
        ) from error


def _send_beside() -> None:
    """Begin the sender of the clinic's mail, where there is a mail server; say why where nothing is sent."""
    if not current_app.config["SENDS_MAIL"]:
        return
    try:
        MailSettings.of(current_app.config)
    except NoMailServer as missing:
        click.echo(f"{missing} The outbox waits.")
        return
    beside.start("outbox", "send")


@main.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo clinic first.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, envvar="PORT", show_default=True, show_envvar=True, type=_PORT)
def serve(*, demo: bool, host: str, port: int) -> None:
    """Migrate, then serve with gunicorn."""
    _refuse_unreachable(host, port)
    if demo:
        refuse_production()
    click.echo("Bringing the database up to date …")
    _migrate()
    if demo:
        fill_when_empty(echo=click.echo)
    if current_app.config["IS_PRODUCTION"]:
        doctor.refuse_unsafe(current_app.config, db.engine())
    if host in _THIS_MACHINE and not current_app.config["TRUSTED_HOSTS"]:
        # Nobody else reaches us, so another name is a foreign page's trick to be taken for ours.
        os.environ["TRUSTED_HOSTS"] = ",".join(_THIS_MACHINE)
    # By the name, because browsers make no passkey for a number.
    name = "localhost" if host in _THIS_MACHINE else host
    click.echo(f"\nChairtime is at http://{name}:{port}  (Ctrl+C stops it)\n")
    _send_beside()
    if Places.of(current_app.config) is not None:
        beside.start("audit", "send-checkpoints")
    sys.stdout.flush()
    db.engine().dispose()  # a connection must not be shared with the workers
    os.execv(  # noqa: S606 the server takes the place of this process, with arguments that we wrote
        sys.executable,
        [
            sys.executable,
            "-m",
            "gunicorn",
            "--bind",
            f"{host}:{port}",
            "--worker-class",
            "gthread",
            "--workers",
            "2",
            "--threads",
            "4",
            "--no-control-socket",
            "--log-level",
            "warning",
            "wsgi:app",
        ],
    )


if __name__ == "__main__":
    main()

"""The `clinic` command: Flask's own commands, the database, the demo clinic, cases, and the server."""

import os
import sys
from pathlib import Path

import click
from alembic import command
from flask import current_app
from flask.cli import FlaskGroup

from clinic import create_app
from clinic.core import db


@click.group(cls=FlaskGroup, create_app=create_app, add_version_option=False)
def main() -> None:
    """Infusion session scheduling and tracking for pain clinics."""


@main.group("db")
def database() -> None:
    """Look after the database that DATABASE_URL names."""


def _url() -> str:
    url: str = current_app.config["DATABASE_URL"]
    if url.startswith("sqlite:///"):
        Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return url


@database.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the database up to a revision, the newest by default."""
    db.upgrade(_url(), revision)


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


@main.command()
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo clinic first.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=lambda: int(os.environ.get("PORT", "8000")), show_default="PORT or 8000", type=int)
def serve(*, demo: bool, host: str, port: int) -> None:
    """Migrate, then serve with gunicorn."""
    click.echo("Bringing the database up to date …")
    db.upgrade(_url())
    if demo:
        from clinic.demo.fill import fill_when_empty  # noqa: PLC0415 the demo is not needed to serve a clinic

        fill_when_empty(echo=click.echo)
    click.echo(f"\nChairtime is at http://{host}:{port}  (Ctrl+C stops it)\n")
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

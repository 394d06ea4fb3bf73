"""The command that makes the demonstration clinic."""

import click
from flask import current_app
from flask.cli import with_appcontext

from clinic.core import db
from clinic.demo import fill


@click.command("demo")
@click.option("--reset", is_flag=True, help="Empty the database and make the clinic anew, placed around this moment.")
@with_appcontext
def demo_command(*, reset: bool) -> None:
    """Fill an empty database with the demonstration clinic; it never touches other data."""
    fill.refuse_production()
    # Before anything is migrated: somebody's records are not even looked after here.
    fill.refuse_other_clinics()
    db.upgrade(current_app.config["DATABASE_URL"])
    (fill.fill_anew if reset else fill.fill_when_empty)(click.echo)

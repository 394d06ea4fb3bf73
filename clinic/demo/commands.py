"""The command that makes the demonstration clinic."""

import click
from flask import current_app

from clinic.core import db
from clinic.demo.fill import DemoRefused, fill_anew, fill_when_empty


@click.command()
@click.option("--reset", is_flag=True, help="Empty the database and make the clinic anew, placed around this moment.")
def demo(*, reset: bool) -> None:
    """Fill an empty database with the demonstration clinic; touches no other data."""
    db.upgrade(current_app.config["DATABASE_URL"])
    try:
        (fill_anew if reset else fill_when_empty)(click.echo)
    except DemoRefused as refusal:
        raise click.ClickException(str(refusal)) from refusal

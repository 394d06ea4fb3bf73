"""Chairtime: infusion session scheduling and tracking for pain clinics."""

from flask import Flask
from sqlalchemy.exc import ArgumentError

from clinic import app as shell
from clinic import doctor
from clinic.core import db


def create_app(config: type | None = None) -> Flask:
    """The application: its settings, its database, its shell, and one blueprint for each area.

    In production it ends the process when a setting is unsafe.
    """
    app = create_unchecked_app(config)
    if app.config["IS_PRODUCTION"]:
        doctor.refuse_unsafe(app.config, db.engine())
        db.engine().dispose()  # a server may fork after this, and a connection must not be shared
    return app


def create_unchecked_app(config: type | None = None) -> Flask:
    """The same for commands, which must be able to mend what is unsafe: to migrate, to add the first admin."""
    app = shell.make_app(config)
    try:
        db.init(app.config["DATABASE_URL"])
    except (ArgumentError, OSError) as error:
        raise SystemExit(f"DATABASE_URL cannot be used: {error}. See docs/settings.md.") from error
    shell.register_areas(app)
    return app

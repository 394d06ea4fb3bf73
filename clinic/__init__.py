"""Chairtime: infusion session scheduling and tracking for pain clinics."""

from flask import Flask

from clinic import app as shell
from clinic.core import db


def create_app(config: type | None = None) -> Flask:
    """The application: its settings, its database, its shell, and one blueprint for each area."""
    app = shell.make_app(config)
    db.init(app.config["DATABASE_URL"])
    shell.register_areas(app)
    return app

"""The blueprint of the pages on paper."""

from flask import Blueprint

bp = Blueprint("reports", __name__)

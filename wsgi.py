"""The application for a WSGI server: `gunicorn wsgi:app`."""

import sys

from clinic import create_app

try:
    app = create_app()
except SystemExit as refusal:
    sys.stderr.write(f"{refusal}\n")
    # A worker that ends with any other status is started again by gunicorn, for ever.
    raise SystemExit(3) from None

"""The application with a clock that a test puts forward: the file CLOCK_AHEAD holds how many minutes."""

import os
from datetime import datetime, timedelta
from pathlib import Path

from clinic import create_app
from clinic.core import clock

_true = clock.now


def _later() -> datetime:
    return _true() + timedelta(minutes=int(Path(os.environ["CLOCK_AHEAD"]).read_text()))


clock.now = _later
app = create_app()

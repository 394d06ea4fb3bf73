"""What runs beside the server: begun again when it ends, and told to end when the server has.

`clinic serve` starts this and then becomes the server, so the server is its parent: when the parent is another one, the
server is gone. Several servers may each have their own; who sends which message is settled by the claims of the outbox.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_LOOK_EVERY: Final = 1
_PAUSE: Final = 5
_LAST_MESSAGE: Final = 40
"""Seconds that a sender has to finish the message under way."""


def start(*command: str) -> None:
    """Begin a `clinic` command that goes on as long as this process, whatever it becomes, is there."""
    line = [sys.executable, "-m", "clinic.beside", sys.executable, "-m", "clinic.cli", *command, "--loop"]
    subprocess.Popen(line, cwd=_ROOT, stdin=subprocess.DEVNULL)  # noqa: S603 arguments that we wrote


def keep_running(line: Sequence[str], is_over: Callable[[], bool], wait: Callable[[int], object]) -> None:
    """Run a command again and again until it is over; then let it finish what it is at."""
    while not is_over():
        child = subprocess.Popen(line, cwd=_ROOT, stdin=subprocess.DEVNULL)  # noqa: S603 our own command
        while child.poll() is None and not is_over():
            wait(_LOOK_EVERY)
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(_LAST_MESSAGE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        elif not is_over():
            wait(_PAUSE)  # it must not fail a hundred times a second


def main(line: Sequence[str]) -> None:
    """Keep a command running as long as the parent of this process is the same."""
    server, told = os.getppid(), threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: told.set())
    keep_running(line, lambda: told.is_set() or os.getppid() != server, told.wait)


if __name__ == "__main__":
    main(sys.argv[1:])

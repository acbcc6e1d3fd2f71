"""A synced folder, and how long it has said nothing: a mount that hangs cannot say so itself."""

import time
from collections.abc import Iterable, Iterator

from easymodel_nb.store.mirror.folder import Synced


class Watched:
    """The folder, and how long it has said nothing."""

    def __init__(self, folder: Synced) -> None:
        self._folder, self.place = folder, folder.place
        self._at = time.monotonic()

    def touch(self) -> None:
        """It moves: a part was read or written."""
        self._at = time.monotonic()

    def quiet_seconds(self) -> float:
        """How long it has said nothing."""
        return time.monotonic() - self._at

    def names(self, path: str) -> list[str]:
        """What is in a folder."""
        self.touch()
        return self._folder.names(path)

    def size(self, path: str) -> int | None:
        """A file's bytes."""
        self.touch()
        return self._folder.size(path)

    def read(self, path: str) -> Iterator[bytes]:
        """A file's content, in parts."""
        self.touch()
        return self._folder.read(path)

    def create(self, path: str, parts: Iterable[bytes]) -> None:
        """Write a file."""
        self.touch()
        self._folder.create(path, parts)

    def rename(self, old: str, new: str) -> None:
        """Give a file its name."""
        self.touch()
        self._folder.rename(old, new)

    def remove(self, path: str) -> None:
        """Delete a file."""
        self.touch()
        self._folder.remove(path)

    def free(self) -> int | None:
        """Free bytes."""
        self.touch()
        return self._folder.free()

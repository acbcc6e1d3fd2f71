"""A file as a client reads it: how far it is, and a way to end the reading from outside."""

import io
from pathlib import Path
from typing import Any

from easymodel_nb.train.takeaway.publish_errors import Cancelled


class Watched(io.BufferedIOBase):
    """A file or its content, for a client that takes binary files.

    The Hub's client uploads such an object by plain HTTP, in one thread; its faster transfer
    (Xet) takes paths alone and can be ended by nobody.
    """

    def __init__(self, source: Path | bytes) -> None:
        self._file: Any = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        self._counting = False
        self.farthest = 0  # bytes read since `begin`
        self.ended = False

    def begin(self) -> None:
        """Count from now on."""
        self._counting = True

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes; raises Cancelled once it was ended."""
        if self.ended:
            raise Cancelled
        chunk: bytes = self._file.read(size)
        if self._counting:
            self.farthest = max(self.farthest, self._file.tell())
        return chunk

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        """Where it is."""
        return int(self._file.tell())

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

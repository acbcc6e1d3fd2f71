"""One file, there or here: under another name, flushed, read back by its checksum, renamed."""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from easymodel_nb.store.mirror.folder import CHUNK, Synced
from easymodel_nb.store.mirror.hiding import hidden

PART = ".part-"
Stop = Callable[[], bool]


class Stopped(Exception):  # noqa: N818  asked for
    """The process ends, or something else comes first."""


class Moving(Exception):  # noqa: N818  a state, not a mishap
    """The source changed while it was read, or is gone: it is looked at again."""


class Source(NamedTuple):
    """A file of this machine, as it goes to the mirror."""

    path: Path
    length: int  # so many bytes of it: a log grows
    text: bool = False  # lines, without what signs in

    def parts(self) -> Iterator[bytes]:
        """Its content."""
        left = self.length
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            raise Moving(str(self.path)) from None
        with file:
            while left > 0:
                part = file.readline() if self.text else file.read(min(CHUNK, left))
                part = part[:left]
                if not part:
                    raise Moving(str(self.path))
                left -= len(part)
                yield _hide(part) if self.text else part


def _hide(line: bytes) -> bytes:
    if b"://" not in line and b"hf_" not in line and b"api_org_" not in line:
        return line
    return hidden(line.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def digest(parts: Iterable[bytes]) -> tuple[int, str]:
    """Bytes and SHA-256."""
    found, size = hashlib.sha256(), 0
    for part in parts:
        found.update(part)
        size += len(part)
    return size, found.hexdigest()


def _checked(parts: Iterable[bytes], stop: Stop) -> Iterator[bytes]:
    for part in parts:
        if stop():
            raise Stopped
        yield part


def put(
    folder: Synced, parts: Iterable[bytes], at: str, wanted: tuple[int, str], stop: Stop
) -> None:
    """Copy to `at`, where no other content ever was; returns when it was read back.

    Raises
    ------
    OSError
        When the folder refuses, or gives back something else than it was given.
    Moving
        When the source is no longer what `wanted` says.

    """
    if folder.size(at) == wanted[0] and _holds(folder, at, wanted, stop):
        return  # a pass that was cut off had copied it
    above, _, name = at.rpartition("/")
    part = f"{above}/{PART}{secrets.token_hex(4)}-{name}"
    try:
        if _create(folder, part, _checked(parts, stop)) != wanted:
            raise Moving(at)  # noqa: TRY301
        if not _holds(folder, part, wanted, stop):
            raise OSError(errno.EIO, "it gave back other bytes than it was given")  # noqa: TRY301
        folder.rename(part, at)
        if folder.size(at) != wanted[0]:
            raise OSError(errno.EIO, "a file it had taken is not there")  # noqa: TRY301
    except BaseException:
        with contextlib.suppress(OSError):
            folder.remove(part)
        raise


def _create(folder: Synced, part: str, parts: Iterable[bytes]) -> tuple[int, str]:
    """Write a file; answers what was given to it."""
    given, count = hashlib.sha256(), 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for chunk in parts:
            given.update(chunk)
            count += len(chunk)
            yield chunk

    folder.create(part, counted())
    return count, given.hexdigest()


def _holds(folder: Synced, at: str, wanted: tuple[int, str], stop: Stop) -> bool:
    try:
        return digest(_checked(folder.read(at), stop)) == wanted
    except FileNotFoundError:
        return False


def read(folder: Synced, at: str, wanted: tuple[int, str]) -> bytes | None:
    """A small file's content; None while it is not there whole."""
    try:
        if folder.size(at) != wanted[0]:
            return None
        content = b"".join(folder.read(at))
    except FileNotFoundError:
        return None
    return content if digest([content]) == wanted else None


def fetch(folder: Synced, at: str, wanted: tuple[int, str], target: Path, stop: Stop) -> bool:
    """Copy to this machine's disk; False while it is not there whole."""
    if folder.size(at) != wanted[0]:
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{PART}{secrets.token_hex(4)}-{target.name}")
    found, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as file:
            for chunk in _checked(folder.read(at), stop):
                file.write(chunk)
                found.update(chunk)
                size += len(chunk)
            file.flush()
            os.fsync(file.fileno())
        if (size, found.hexdigest()) != wanted:
            return False
        part.replace(target)
    except FileNotFoundError:
        return False
    finally:
        part.unlink(missing_ok=True)
    return True

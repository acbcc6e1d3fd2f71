"""Files that come from the user's own computer, part by part, into HOME/uploads.

A file lies under the first digits of its SHA-256, so that the same content is stored
once: `uploads/3f2a.../reviews.csv`. What is still on its way lies in `uploads/.partial`
and never where anyone would read it.
"""

import hashlib
import os
import re
import secrets
import shutil
import threading
import time
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError, problem_error

CHUNK = 1 << 20
_DIGITS = 12
_SPARE = 100 << 20  # bytes of disk that a run needs at the very least
_STALE_SECONDS = 24 * 3600
_NAME_LENGTH = 120
# Also what turns the direction of text: a name must read as what it is.
_FORBIDDEN = re.compile(
    r'[<>:"|?*\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]'
)
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


@dataclass
class _Upload:
    name: str
    size: int
    sha256: str | None
    partial: Path
    received: int = 0
    digest: Any = field(default_factory=hashlib.sha256)


class Uploads:
    """The uploads of one home; every method may be called from any thread."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "uploads"
        self._lock = threading.Lock()
        self._open: dict[str, _Upload] = {}

    def begin(self, name: str, size: int, sha256: str | None) -> tuple[str, Path | None]:
        """Announce a file: its id, and its place when the same file is here already.

        Raises
        ------
        StudioError
            When it is empty, or the disk has no room for it.

        """
        name = safe_name(name)
        if size == 0:
            raise problem_error("upload.empty", f"{name} is empty: it has no bytes.")
        with self._lock:
            upload_id = secrets.token_hex(8)
            known = self._place(sha256, name) if sha256 else None
            if known is not None and (_there(known, size) or self._linked(known)):
                return upload_id, known
            partial = self._folder / ".partial" / upload_id
            try:
                partial.parent.mkdir(parents=True, exist_ok=True)
                self._forget_stale(partial.parent)
                free = shutil.disk_usage(partial.parent).free
                if free < size + _SPARE:
                    raise problem_error(
                        "upload.disk",
                        f"{name} takes {_megabytes(size)} and the disk of {self._folder} has "
                        f"{_megabytes(free)} left. Make room there, or open the studio with "
                        "another home.",
                    )
                partial.touch()
            except OSError as error:
                raise _unwritable(name, error) from None
            self._open[upload_id] = _Upload(name, size, sha256, partial)
            return upload_id, None

    def chunk(self, upload_id: str, offset: int, data: memoryview) -> int:
        """Write one part; answers how many bytes are here from the start on.

        A part that is here already is passed over, so that it can be sent again when its
        answer was lost.

        Raises
        ------
        StudioError
            When the upload is unknown, the part does not fit, or the disk is full.

        """
        with self._lock:
            upload = self._get(upload_id)
            end = offset + len(data)
            if len(data) > CHUNK or end > upload.size or offset > upload.received:
                raise problem_error(
                    "upload.chunk",
                    f"A part of {upload.name} does not fit (bytes {offset:,} to {end:,} of "
                    f"{upload.size:,}, after {upload.received:,}). Upload the file again.",
                )
            fresh = data[max(0, upload.received - offset) :]
            if fresh:
                try:
                    with upload.partial.open("r+b") as file:
                        file.seek(upload.received)
                        file.write(fresh)
                except OSError as error:
                    self._drop(upload_id)
                    raise _unwritable(upload.name, error) from None
                upload.digest.update(fresh)
                upload.received += len(fresh)
            return upload.received

    def end(self, upload_id: str, sha256: str | None = None) -> Path:
        """Check what arrived and put it in its place.

        Raises
        ------
        StudioError
            When something is missing or is not what was sent.

        """
        with self._lock:
            upload = self._get(upload_id)
            if upload.received != upload.size:
                raise problem_error(
                    "upload.incomplete",
                    f"{upload.received:,} of {upload.size:,} bytes of {upload.name} are here. "
                    "Send the rest.",
                )
            digest = upload.digest.hexdigest()
            if any(said not in {None, digest} for said in (sha256, upload.sha256)):
                self._drop(upload_id)
                raise problem_error(
                    "upload.damaged",
                    f"{upload.name} arrived damaged, or changed while it was read: its checksum "
                    "is another one. Upload it again.",
                )
            place = self._place(digest, upload.name)
            try:
                if not _there(place, upload.size) and not self._linked(place):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    os.replace(upload.partial, place)  # noqa: PTH105  the same name on every OS
            except OSError as error:
                raise _unwritable(upload.name, error) from None
            finally:
                self._drop(upload_id)
            return place

    def cancel(self, upload_id: str) -> None:
        """Forget an upload; one that is not there is no error."""
        with self._lock:
            self._drop(upload_id)

    # ------------------------------------------------------------ inside

    def _get(self, upload_id: str) -> _Upload:
        upload = self._open.get(upload_id)
        if upload is None:
            raise problem_error(
                "upload.unknown",
                "The kernel knows nothing of this upload; it was restarted meanwhile. Upload the "
                "file again.",
            )
        return upload

    def _drop(self, upload_id: str) -> None:
        upload = self._open.pop(upload_id, None)
        if upload is not None:
            with suppress(OSError):
                upload.partial.unlink(missing_ok=True)

    def _place(self, digest: str, name: str) -> Path:
        return self._folder / digest[:_DIGITS] / name

    @staticmethod
    def _linked(place: Path) -> bool:
        """Whether the same content was there under another name and now has this one too."""
        others = [p for p in place.parent.glob("*") if p.is_file() and not p.is_symlink()]
        for other in others[:1]:
            with suppress(OSError):  # a file system without links gets a second copy
                place.hardlink_to(other)
                return True
        return False

    def _forget_stale(self, folder: Path) -> None:
        """Remove what uploads of other kernels left behind; one may still be under way."""
        before = time.time() - _STALE_SECONDS
        for path in folder.iterdir():
            with suppress(OSError):
                if path.stat().st_mtime < before:
                    path.unlink()


def _there(place: Path, size: int) -> bool:
    """Whether the file itself is there: a link to another one is not what was sent."""
    return place.is_file() and not place.is_symlink() and place.stat().st_size == size


def safe_name(name: str) -> str:
    """The file name without its folders and without what no file system takes."""
    plain = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    plain = plain.encode("utf-8", "ignore").decode("utf-8")  # half an emoji is no name
    plain = _FORBIDDEN.sub("_", plain).lstrip(". -").rstrip(". ") or "data"
    if _RESERVED.match(plain):
        plain = f"_{plain}"
    suffix = "".join(Path(plain).suffixes[-2:])
    if len(suffix) > _NAME_LENGTH // 4:
        suffix = ""
    stem = plain.removesuffix(suffix)
    # Names are limited in bytes, and a letter may take four.
    room = 2 * _NAME_LENGTH - len(suffix.encode())
    stem = stem[: _NAME_LENGTH - len(suffix)].encode()[:room].decode("utf-8", "ignore")
    return f"{stem}{suffix}"


def _unwritable(name: str, error: OSError) -> StudioError:
    return problem_error(
        "upload.unwritable",
        f"{name} could not be stored ({error.strerror or error}). Make room, or open the studio "
        "with another home.",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"  # noqa: PLR2004

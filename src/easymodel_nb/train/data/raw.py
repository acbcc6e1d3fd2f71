"""The bytes of a file, unpacked; and the files that are refused for what they are."""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any, cast

from easymodel_nb.errors import StudioError
from easymodel_nb.train.data.reading import refusal

HEAD = 4096
_RATIO, _ANYHOW = 400, 256 << 20  # how much larger than packed; bytes that are no matter
_BUFFERED = 1 << 17
PACKED = (".gz", ".bz2", ".xz")
_GZIP, _BZIP, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ"
_PICKLES = (
    ".pkl", ".pickle", ".p", ".pt", ".pth", ".ckpt", ".bin", ".joblib", ".dill", ".npy", ".npz",
)  # fmt: skip
_SHEETS = (".xlsx", ".xls", ".xlsm", ".ods", ".numbers")
_ARCHIVES = (".zip", ".tar", ".tgz", ".7z", ".rar", ".zst")
# An .xlsx or an .xls under another name.
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_OFFICE = (b"[Content_Types].xml", b"docProps/", b"xl/")  # what such a .zip holds
_PAPERS = (".pdf", ".docx", ".doc", ".odt", ".rtf", ".html", ".htm", ".epub")
_PROTOCOL = range(2, 6)  # a pickle begins with \x80 and its protocol's number


def suffix_of(path: Path) -> str:
    """The suffix that tells the format, under a .gz or the like."""
    suffix = path.suffix.lower()
    return Path(path.stem).suffix.lower() if suffix in PACKED else suffix


def stem_of(path: Path) -> str:
    """The file's name without the suffixes of format and packing."""
    return Path(path.stem).stem if path.suffix.lower() in PACKED else path.stem


@contextmanager
def open_bytes(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked when they are packed, whatever its name says.

    Raises
    ------
    StudioError
        When the packing is damaged, also while reading.

    """
    with path.open("rb") as file, _unpacked(file, path) as opened:
        try:
            yield opened
        except EOFError:
            raise refusal(
                "file.truncated",
                f"{path.name} is cut off: its compressed data ends too early. "
                "Download or copy it again.",
            ) from None
        except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
            raise refusal(
                "file.unreadable",
                f"{path.name} is damaged: {error}. Download or copy it again.",
            ) from None


class _Bounded(io.RawIOBase):
    """Unpacked bytes, as long as they are no more than a file of data can pack.

    A few kilobytes of zeros unpack to more than the memory and the disk have.
    """

    def __init__(self, packed: io.BufferedIOBase, path: Path) -> None:
        self._packed, self._path = packed, path
        self._left = max(_ANYHOW, path.stat().st_size * _RATIO)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._packed.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise refusal(
                "file.bomb",
                f"{self._path.name} unpacks to more than {_RATIO} times its size, which files of "
                "data do not. Unpack it yourself, look at it, and choose the file in it.",
            )
        return count

    def close(self) -> None:
        self._packed.close()
        super().close()


def _unpacked(file: IO[bytes], path: Path) -> AbstractContextManager[IO[bytes]]:
    magic = file.read(6)
    file.seek(0)
    packed: io.BufferedIOBase
    if magic.startswith(_GZIP):
        packed = gzip.GzipFile(fileobj=file)
    elif magic.startswith(_BZIP):
        packed = bz2.BZ2File(file)
    elif magic.startswith(_XZ):
        packed = lzma.LZMAFile(file)  # noqa: SIM115  closed with what wraps it
    else:
        return nullcontext(file)
    return cast("IO[bytes]", io.BufferedReader(_Bounded(packed, path), _BUFFERED))


def is_packed(path: Path) -> bool:
    """Whether the bytes on disk are compressed."""
    with path.open("rb") as file:
        return file.read(6).startswith((_GZIP, _BZIP, _XZ))


def head_of(path: Path) -> bytes:
    """The first bytes, unpacked."""
    with open_bytes(path) as file:
        return file.read(HEAD)


def refuse_kinds(path: Path, head: bytes) -> None:
    """Refuse what is not read for a good reason, with what to do instead.

    Raises
    ------
    StudioError
        For pickles (opening one runs code), spreadsheets, archives and the like.

    """
    name, suffix = path.name, suffix_of(path)
    if suffix in _PICKLES or _is_pickle(head):
        raise refusal(
            "file.pickle",
            f"{name} is a pickle or another binary that can run code when it is opened, so it is "
            "not read. Where you trust it, load it in Python and save the rows as .parquet, "
            ".jsonl or .csv, such as with DataFrame.to_parquet.",
        )
    if suffix in _PAPERS or head.startswith((b"%PDF", b"{\\rtf")):
        raise _no_data(name, "a document, not a data file")
    office = head.startswith(_ZIP) and suffix not in _ARCHIVES and any(n in head for n in _OFFICE)
    if suffix in _SHEETS or office or head.startswith(_OLE):
        raise refusal(
            "file.spreadsheet",
            f"{name} is a spreadsheet. Save its sheet as CSV (UTF-8) and choose that file, or load "
            "it with pandas.read_excel and choose the variable.",
        )
    if suffix in _ARCHIVES or head.startswith((_ZIP, b"7z\xbc\xaf", b"Rar!")):
        raise refusal(
            "file.archive", f"{name} is an archive. Unpack it and choose the file or folder in it."
        )
    start = head.lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise refusal(
            "file.html",
            f"{name} is a web page, not a data file. Download the file itself: on GitHub, "
            "through its Raw button.",
        )
    if start.startswith(b"version https://git-lfs.github.com"):
        raise refusal(
            "file.lfs",
            f"{name} is a Git LFS pointer: the data itself was not downloaded. Run git lfs pull.",
        )


def _is_pickle(head: bytes) -> bool:
    return len(head) > 1 and head[0] == 0x80 and head[1] in _PROTOCOL  # noqa: PLR2004


def _no_data(name: str, what: str) -> StudioError:
    return refusal(
        "file.format", f"{name} is {what}. Use .csv, .tsv, .json, .jsonl, .txt or .parquet."
    )

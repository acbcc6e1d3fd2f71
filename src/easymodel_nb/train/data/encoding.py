"""Which encoding a text file is in: never a silent guess, never letters lost on the way."""

import codecs
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, TextIO, cast

from easymodel_nb.train.data.legacy import legacy_encoding
from easymodel_nb.train.data.raw import HEAD, open_bytes
from easymodel_nb.train.data.reading import Reading, plural, refusal

_BLOCK = 1 << 20
_SAMPLE = 64 * 1024  # bytes of lines that are not ASCII
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MOSTLY = 10  # valid UTF-8 sequences for each broken byte that still make a UTF-8 file
_ASCII = 0x7F
_DAMAGED = "easymodel-damaged-utf-8"


@dataclass(frozen=True)
class Encoding:
    """A codec's name and its error handler."""

    name: str
    errors: str = "strict"


@contextmanager
def open_text(path: Path, reading: Reading, *, newline: str | None = None) -> Iterator[TextIO]:
    r"""The file as text, in the encoding the user named or the one it seems to be in.

    Line ends become "\n" unless `newline` is "".

    Raises
    ------
    StudioError
        On `format`, when the bytes do not fit the encoding; also while reading.

    """
    encoding = _named(path, reading) or _found_once(path, reading)
    with open_bytes(path) as raw:
        text = io.TextIOWrapper(
            io.BufferedReader(_Plain(raw)), encoding.name, encoding.errors, newline=newline
        )
        try:
            yield text
        except UnicodeError as error:
            raise refusal(
                "format.encoding",
                f"{path.name} is not {encoding.name} text: {error}. Set the encoding it was "
                "saved in.",
                "format",
            ) from None
        finally:
            text.detach()


class _Plain(io.RawIOBase):
    """Bytes whose closing is left to who opened them."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _named(path: Path, reading: Reading) -> Encoding | None:
    name = reading.form.encoding
    if not name:
        return None
    try:
        known = codecs.lookup(name)
    except LookupError:
        known = None
    if known is None or not getattr(known, "_is_text_encoding", True):
        raise refusal(
            "format.encoding",
            f"{name!r} is no encoding of text, so {path.name} was not read. Use for instance "
            "utf-8, cp1252, shift_jis or utf-16.",
            "format",
        )
    if known.name == "utf-8":
        return Encoding("utf-8-sig")  # a mark at the start is no letter
    return Encoding(name)


def _found_once(path: Path, reading: Reading) -> Encoding:
    """What a look through the file says; a file is opened several times and looked at once."""
    if path not in reading.looked:
        own = replace(reading, guesses=[], notes=[])
        reading.looked[path] = (_found(path, own), own.guesses, own.notes)
    encoding, guesses, notes = reading.looked[path]
    for guess in guesses:
        reading.guess(guess.field, guess.value, guess.reason)
    reading.notes += [note for note in notes if note not in reading.notes]
    return cast("Encoding", encoding)


def _found(path: Path, reading: Reading) -> Encoding:
    with open_bytes(path) as file:
        head = file.read(HEAD)
    for mark, name in _MARKS:
        if head.startswith(mark):
            if name != "utf-8-sig":
                reading.guess("format.encoding", name, f"{path.name} starts with its mark")
            return Encoding(name)
    wide = _without_mark(head)
    if wide is not None:
        reading.guess("format.encoding", wide, "every other byte is zero")
        return Encoding(wide)
    if _is_utf8(path, reading):
        reading.guess("format.encoding", "utf-8", "every byte fits")
        return Encoding("utf-8")
    looked = _Looked()
    with open_bytes(path) as file:
        looked.through(file, reading)
    if looked.zeros:
        raise refusal("file.unreadable", f"{path.name} is not a text file.")
    if looked.valid >= _MOSTLY * looked.broken:
        reading.note(
            "encoding.damaged",
            f"{path.name} is UTF-8 with {plural(looked.broken, 'broken byte')}, the first in line "
            f"{looked.first_line:,}; they were read as Windows-1252.",
            on="format",
        )
        return Encoding("utf-8", _DAMAGED)
    legacy, why, sure = legacy_encoding(bytes(looked.sample))
    if legacy is None:
        raise refusal(
            "format.encoding",
            f"{path.name} is not UTF-8, and what else it is cannot be told. Set the encoding it "
            "was saved in.",
            "format",
        )
    reading.guess("format.encoding", legacy, why)
    if not sure:
        reading.note(
            "encoding.unsure",
            f"{path.name} is not UTF-8 and was read as {legacy}. Look at the first rows: if "
            "letters are wrong, set the encoding it was saved in.",
            on="format",
        )
    return Encoding(legacy)


def _without_mark(head: bytes) -> str | None:
    """UTF-16 without a mark: where mostly one of two bytes is zero."""
    if len(head) < 4 or len(head) % 2:  # noqa: PLR2004  two letters, and none torn
        return None
    even, odd = head[::2].count(0) / len(head[::2]), head[1::2].count(0) / len(head[1::2])
    few, many = 0.05, 0.4
    if odd > many and even < few:
        name = "utf-16-le"
    elif even > many and odd < few:
        name = "utf-16-be"
    else:
        return None
    try:
        codecs.getincrementaldecoder(name)().decode(head)
    except UnicodeDecodeError:
        return None
    return name


def _is_utf8(path: Path, reading: Reading) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with open_bytes(path) as file:
            while block := file.read(_BLOCK):
                reading.check()
                decoder.decode(block)
                if reading.preview:
                    return True
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


class _Looked:
    """What the lines of a file that is not UTF-8 tell."""

    def __init__(self) -> None:
        self.valid = self.broken = self.first_line = 0
        self.zeros = False
        self.sample = bytearray()

    def through(self, file: IO[bytes], reading: Reading) -> None:
        number = 0
        while lines := file.readlines(_BLOCK):
            reading.check()
            for number, line in enumerate(lines, number + 1):  # noqa: B020  goes on counting
                if not line.isascii():
                    self._take(number, line)
            self.zeros = self.zeros or any(b"\0" in line for line in lines)
            if reading.preview:
                return

    def _take(self, number: int, line: bytes) -> None:
        if len(self.sample) < _SAMPLE:
            self.sample += line
        kept = line.decode("utf-8", "ignore")
        self.valid += sum(ord(c) > _ASCII for c in kept)
        if broken := len(line) - len(kept.encode()):
            self.broken += broken
            self.first_line = self.first_line or number


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    try:
        return bad.decode("cp1252"), error.end
    except UnicodeDecodeError:  # five bytes mean nothing there
        return bad.decode("latin-1"), error.end


codecs.register_error(_DAMAGED, _as_windows)

"""Looks for a secret in every byte below a folder, in whatever form and however packed.

Written apart from what hides secrets (`easymodel_nb.redaction`), so that one mistake is not made
twice.
"""

import base64
import bz2
import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

_DEEPEST = 4  # archives in archives


@cache
def needles(secret: str) -> dict[str, bytes]:
    """What to look for, by the name of its form; all compared without regard to case of hex."""
    raw = secret.encode()
    found = {
        "plain": raw,
        "utf-16-le": secret.encode("utf-16-le"),
        "utf-16-be": secret.encode("utf-16-be"),
        "reversed": raw[::-1],
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "url": "".join(f"%{byte:02X}" for byte in raw).encode(),
        "url-lower": "".join(f"%{byte:02x}" for byte in raw).encode(),
        "json-escapes": "".join(f"\\u{byte:04x}" for byte in raw).encode(),
        "python-escapes": "".join(f"\\x{byte:02x}" for byte in raw).encode(),
        "html": "".join(f"&#{byte};" for byte in raw).encode(),
        "base85": base64.b85encode(raw),
        "base32": base64.b32encode(raw).rstrip(b"=")[:-2],
    }
    for shift in range(3):
        # Whatever stands before and after, these letters come of the secret alone.
        inner = raw[(3 - shift) % 3 :]
        inner = inner[: len(inner) // 3 * 3]
        found[f"base64+{shift}"] = base64.b64encode(inner)
        found[f"base64url+{shift}"] = base64.urlsafe_b64encode(inner)
    half = len(raw) // 2  # most of it is as bad
    found["most of it"] = raw[4 : 4 + max(half, 16)]
    return found


def occurrences(
    data: bytes, secrets: Iterable[str], name: str = "", depth: int = 0
) -> Iterator[str]:
    """Where a secret is in these bytes: `name!member (form of which)`."""
    for secret in secrets:
        for form, needle in needles(secret).items():
            if needle in data:
                yield f"{name} ({form} of {secret[:8]})"
    if depth >= _DEEPEST:
        return
    for member, inner in _members(data):
        yield from occurrences(inner, secrets, f"{name}!{member}", depth + 1)


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is packed in these bytes, wherever in them it begins."""
    if data[:4] == b"PK\x03\x04":
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                yield f"{info.filename} name", info.filename.encode() + info.comment
                yield info.filename, archive.read(info)
        return
    yield from _unpacked(data)
    yield from _within(data)


def _unpacked(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What the whole of these bytes packs."""
    for unpack, magic in ((gzip.decompress, b"\x1f\x8b\x08"), (bz2.decompress, b"BZh")):
        if data.startswith(magic):
            with suppress(OSError, EOFError, ValueError, zlib.error):
                yield magic.hex(), unpack(data)
    if data.startswith(b"\xfd7zXZ"):
        with suppress(lzma.LZMAError):
            yield "xz", lzma.decompress(data)
    if data[257:262] == b"ustar":
        with suppress(tarfile.TarError), tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for info in archive.getmembers():
                if (file := archive.extractfile(info)) is not None:
                    yield info.name, file.read()


def _within(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What is packed somewhere in these bytes."""
    # A gzip or zlib stream within another file, such as in a PDF or a PNG.
    for found in re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", data[1:]):
        with suppress(zlib.error):
            start = found.start() + 1
            inner = zlib.decompressobj(47).decompress(data[start : start + (1 << 20)], 1 << 22)
            if len(inner) > 64:
                yield f"stream at {start}", inner
    # Base64 of something longer that holds it packed, such as a picture in a notebook.
    for found in re.finditer(rb"[A-Za-z0-9+/]{120,}={0,2}", data):
        with suppress(ValueError):
            inner = base64.b64decode(found.group()[: len(found.group()) // 4 * 4])
            if inner[:2] in {b"\x1f\x8b", b"PK", b"\x78\x9c"}:
                yield f"base64 at {found.start()}", inner


def below(folder: Path, secrets: Iterable[str], besides: Container[str] = ()) -> list[str]:
    """Every place below a folder: in names, in targets of links, in contents."""
    found: list[str] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in besides:
            continue
        found += [f"{name} (its name, {at})" for at in occurrences(name.encode(), secrets)]
        if path.is_symlink():
            found += occurrences(str(path.readlink()).encode(), secrets, f"{name} -> ")
        elif path.is_file():
            found += occurrences(path.read_bytes(), secrets, name)
    return found

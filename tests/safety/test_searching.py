"""The search can find: a secret planted in each kind of place, in each form, is found."""

import base64
import gzip
import io
import json
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from searching import below

SECRET = "hf_" + "PlAnTeD1" * 4
AROUND = f'{{"headers": {{"authorization": "Bearer {SECRET}"}}}}'.encode()


def zipped(content: bytes, name: str = "inner/file.txt") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def tarred(content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        info = tarfile.TarInfo("a.txt")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return file.getvalue()


def database(content: bytes) -> bytes:
    memory = sqlite3.connect(":memory:")
    memory.execute("create table history (source text)")
    memory.execute("insert into history values (?)", (content.decode(),))
    return memory.serialize()


PLACES: dict[str, Callable[[bytes], bytes]] = {
    "log": lambda c: b"x" * 70_000 + c,
    "binary": lambda c: bytes(range(256)) + c,
    "json in json": lambda c: json.dumps({"text": c.decode()}).encode(),
    "utf-16": lambda c: c.decode().encode("utf-16"),
    "zip": zipped,
    "zip in zip": lambda c: zipped(zipped(c), "b.zip"),
    "tar in gzip": lambda c: gzip.compress(tarred(c)),
    "gzip": gzip.compress,
    "zlib within": lambda c: b"%PDF stream\n" + zlib.compress(c * 3) + b"endstream",
    "zip in base64": lambda c: b'"image": "' + base64.b64encode(zipped(c * 20)) + b'"',
    "sqlite": database,
    "hex": lambda c: c.hex().encode(),
    "url": lambda c: quote(c.decode(), safe="").encode(),
    "escaped": lambda c: "".join(f"\\u{b:04x}" for b in c).encode(),
    "base64 1": base64.b64encode,
    "base64 2": lambda c: base64.b64encode(b"u" + c),
    "base64 3": lambda c: base64.b64encode(b"us" + c),
    "base64 in a url": lambda c: base64.urlsafe_b64encode(b"user:" + c),
}


@pytest.mark.parametrize("place", PLACES)
def test_it_is_found(tmp_path: Path, place: str):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file").write_bytes(PLACES[place](b"nothing to see"))
    assert below(tmp_path, [SECRET]) == []
    (tmp_path / "deep" / "file").write_bytes(PLACES[place](AROUND))
    assert below(tmp_path, [SECRET])


def test_names_and_links_are_looked_at(tmp_path: Path):
    (tmp_path / f"cache-{SECRET}").mkdir()
    (tmp_path / "link").symlink_to(f"/nowhere/{SECRET}")
    (tmp_path / "named.zip").write_bytes(zipped(b"", f"{SECRET}.txt"))
    assert len({at.split()[0].split("!")[0] for at in below(tmp_path, [SECRET])}) == 3
    assert below(tmp_path, [SECRET], (f"cache-{SECRET}", "link", "named.zip")) == []


def test_most_of_a_secret_is_found(tmp_path: Path):
    (tmp_path / "a").write_text(SECRET[2:-3])
    assert below(tmp_path, [SECRET])

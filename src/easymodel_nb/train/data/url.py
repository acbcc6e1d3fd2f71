"""A data file behind an address, kept in the run's own folder."""

import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from urllib.parse import unquote

from easymodel_nb.redaction import whole
from easymodel_nb.train.addresses import at_source
from easymodel_nb.train.control import Control
from easymodel_nb.train.data.files import SHOWN, SUFFIXES
from easymodel_nb.train.data.raw import PACKED
from easymodel_nb.train.hub.large import refuse_large
from easymodel_nb.train.reporter import Reporter

_CHUNK = 1 << 18
_TIMEOUT = 20
_KINDS = {
    "text/csv": ".csv",
    "application/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "application/json": ".json",
    "application/jsonl": ".jsonl",
    "application/x-ndjson": ".jsonl",
    "application/vnd.apache.parquet": ".parquet",
    "text/plain": ".txt",
}
_NAME = re.compile(r'filename\*?=(?:UTF-8\'\')?"?([^";]+)', re.IGNORECASE)


@dataclass
class _Arrived:
    path: Path | None = None
    bytes: float = 0
    total: float | None = None


def fetch(url: str, control: Control, reporter: Reporter, *, limit: int | None = None) -> Path:
    """The file, in `data/` of the run; one that is there already is not fetched again.

    Raises
    ------
    TooLarge
        When it is larger than `limit` bytes.
    StudioError
        On `source`: no such address, no network, no data file.

    """
    folder = reporter.folder / "data"
    folder.mkdir(exist_ok=True)
    name = _safe(url.split("?", 1)[0].split("#", 1)[0].rstrip("/").rsplit("/", 1)[-1])
    reporter.stage("loading", f"Downloading {name}", unit="bytes")
    arrived = _Arrived()

    def tick() -> None:
        reporter.advance(arrived.bytes, total=arrived.total)

    control.interruptible(lambda: _fetch(url, folder, name, arrived, control, limit), tick=tick)
    assert arrived.path is not None  # noqa: S101  set where it was opened
    return arrived.path


def _fetch(
    url: str, folder: Path, name: str, arrived: _Arrived, control: Control, limit: int | None
) -> None:
    try:
        with urllib.request.urlopen(whole(url), timeout=_TIMEOUT) as answer:  # noqa: S310  http(s) only
            path = folder / _named(url, name, answer.headers)
            part = path.with_name(path.name + ".part")
            arrived.total = float(answer.headers.get("Content-Length") or 0) or None
            refuse_large(name, arrived.total, limit)
            with part.open("wb") as file:
                while chunk := answer.read1(_CHUNK):  # what is there, not all that is asked for
                    control.check()
                    file.write(chunk)
                    arrived.bytes += len(chunk)
        if arrived.total and arrived.bytes < arrived.total:
            raise ConnectionError("the connection was cut")  # noqa: TRY301  told as its kin are
        part.replace(path)
        arrived.path = path
    except urllib.error.HTTPError as error:
        raise at_source(
            "source.url", f"{url} answered {error.code} {error.reason}. Check the address."
        ) from None
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        why = getattr(error, "reason", error)
        raise at_source(
            "hub.offline", f"{url} cannot be reached ({why}). Check the network and the address."
        ) from None


def _named(url: str, name: str, headers: HTTPMessage) -> str:
    """The file's name with a suffix that tells what it is: of the address or of the answer."""
    if _is_data(name):
        return name
    if found := _NAME.search(headers.get("Content-Disposition") or ""):
        given = _safe(unquote(found.group(1)))
        if _is_data(given):
            return given
    kind = headers.get_content_type()
    if kind == "text/html":
        raise at_source(
            "source.url",
            f"{url} is a web page, not a data file. Use the address of the file itself: on "
            "GitHub, the one behind its Raw button.",
        )
    if kind in _KINDS and "." not in name:
        return name + _KINDS[kind]
    raise at_source(
        "source.url", f"{url} names no data file that can be read; it should end in {SHOWN}."
    )


def _is_data(name: str) -> bool:
    path = Path(name.lower())
    suffix = Path(path.stem).suffix if path.suffix in PACKED else path.suffix
    return suffix in SUFFIXES


def _safe(name: str) -> str:
    """A file name that stays in its folder."""
    kept = re.sub(r"[^\w.-]+", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(".")
    return kept[-100:] or "data"

"""Data files behind addresses: named by them or by the answer, kept in the run's folder."""

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from web import Answers, Server, serving

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.runlog.log import new_run
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.data.reading import DatasetTables
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.workflow.document import DatasetData

CSV = b"text,label\nfine day,pos\nbad day,neg\n"


class _Typed(Answers):
    """Files with the headers that a test gave them."""

    def do_GET(self) -> None:  # noqa: N802
        found: Any = self.server.files.get(self.noted())
        if found is None:
            self.send(b"<html>no</html>", 404)
            return
        body, headers = found
        self.send(body, 302 if "Location" in headers else 200, headers)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(lambda: Server(_Typed)) as running:
        yield running


def opened(home: Path, url: str, control: Control | None = None) -> DatasetTables:
    folder = new_run(home)
    return open_dataset(DatasetData(source=url), None, control or Control(folder), Reporter(folder))


def refused(home: Path, url: str) -> Problem:
    with pytest.raises(StudioError) as caught:
        opened(home, url)
    (problem,) = caught.value.problems
    assert problem.field == "source"
    assert problem.message.endswith(".")
    return problem


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/a/data.csv", CSV, {}),
        ("/a/data.csv.gz", gzip.compress(CSV, mtime=0), {}),
        ("/export", CSV, {"Content-Type": "text/csv; charset=utf-8"}),
        ("/get", CSV, {"Content-Disposition": 'attachment; filename="my data.csv"'}),
        ("/get.php", CSV, {"Content-Disposition": "attachment; filename=../../../evil.csv"}),
    ],
)
def test_files(home: Path, server: Server, path: str, body: bytes, headers: dict[str, str]):
    server.files[path] = (body, headers)  # type: ignore[assignment]
    tables = opened(home, f"{server.url}{path}?download=1#top")
    assert tables.kind == "url"
    assert [row["label"] for row in tables.splits["train"].to_pylist()] == ["pos", "neg"]
    (kept,) = home.glob("runs/*/data/*")
    assert kept.read_bytes() == body


@pytest.mark.parametrize(
    ("path", "body", "headers", "code", "says"),
    [
        ("/page", b"<html>", {"Content-Type": "text/html"}, "source.url", "is a web page"),
        ("/a.csv", b"<!DOCTYPE html><html>", {}, "file.html", "Raw button"),
        ("/model.bin", b"x", {}, "source.url", "no data file"),
        ("/a.csv", b"\x80\x04\x95", {}, "file.pickle", "run code"),
        ("/a.csv", b"", {}, "file.empty", "is empty"),
        ("/a.parquet", b"PAR1 not really", {}, "file.unreadable", "damaged"),
    ],
)
def test_what_is_no_data(
    home: Path,
    server: Server,
    path: str,
    body: bytes,
    headers: dict[str, str],
    code: str,
    says: str,
):
    server.files[path] = (body, headers)  # type: ignore[assignment]
    problem = refused(home, f"{server.url}{path}")
    assert problem.code == code
    assert says in problem.message


def test_addresses_that_lead_nowhere(home: Path, server: Server):
    assert "answered 404" in refused(home, f"{server.url}/gone.csv").message
    assert refused(home, "http://127.0.0.1:9/a.csv").code == "hub.offline"
    server.files["/a.csv"] = (b"", {"Location": "file:///etc/passwd"})  # type: ignore[assignment]
    assert refused(home, f"{server.url}/a.csv").code in {"source.url", "hub.offline"}


def test_a_stalled_download_is_left(home: Path, server: Server):
    server.files["/a.csv"] = (CSV * 100_000, {})  # type: ignore[assignment]
    server.hold()
    folder = new_run(home)
    control = Control(folder)
    threading.Thread(target=lambda: server.stalled.wait(30) and control.stop(), daemon=True).start()
    with pytest.raises(Stopped):
        opened(home, f"{server.url}/a.csv", control)
    assert control.seconds_asked < 2

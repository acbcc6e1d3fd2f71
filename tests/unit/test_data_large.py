"""Large files do not enter memory, are not read twice, and can be left at any time."""

import gzip
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.data import arrow_files, files, joining, json_files, large, reading
from easymodel_nb.train.data.describe import describe_dataset
from easymodel_nb.train.data.files import read_file
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.data.reading import Reading
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.workflow.document import DatasetData

MEASURE = """
import resource, sys
from pathlib import Path
import pyarrow.parquet, pandas, chardet, charset_normalizer, clevercsv
from easymodel_nb.train.data.files import read_file
from easymodel_nb.train.data.reading import Reading
def peak():
    try:  # of this process alone; the other starts with what the parent had
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    except OSError:
        pass
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * {unit}
before = peak()
table = read_file(Path(sys.argv[1]), Reading(cache=Path(sys.argv[2])))["train"]
print(peak() - before, table.num_rows, table.slice(table.num_rows - 1).to_pylist())
"""
SENTENCE = "A sentence of some length that stands in every row of this file, number {n}. "


@pytest.fixture
def smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files over 100 kB count as large."""
    for module in (arrow_files, files, joining, json_files, large):
        monkeypatch.setattr(module, "LARGE", 100_000)
    monkeypatch.setattr(reading, "CHUNK", 20_000)


def row(n: int) -> dict[str, Any]:
    return {"n": n, "text": SENTENCE.format(n=n) * 9, "mark": f"{n % 7},{n % 3}"}


def written(folder: Path, name: str, rows: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    lines = {
        "csv": lambda r: f'{r["n"]},{r["text"]!r},"{r["mark"]}"\n'.replace("'", '"'),
        "jsonl": lambda r: json.dumps(r) + "\n",
        "txt": lambda r: r["text"] + "\n",
    }
    kind = name.split(".")[1]
    if kind == "parquet":
        schema = pa.schema({"n": pa.int64(), "text": pa.string(), "mark": pa.string()})
        with pq.ParquetWriter(path, schema, compression="none", use_dictionary=False) as file:
            for start in range(0, rows, 10_000):
                some = [row(n) for n in range(start, min(start + 10_000, rows))]
                file.write_table(pa.Table.from_pylist(some, schema))
        return path
    with gzip.open(path, "wt", 1) if name.endswith(".gz") else path.open("w") as file:
        file.writelines(["n,text,mark\n"] if kind == "csv" else [])
        file.writelines(lines[kind](row(n)) for n in range(rows))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_a_file_of_300_megabytes_takes_less_than_half_of_it_in_memory(tmp_path: Path, name: str):
    rows = 440_000
    path = written(tmp_path, name, rows)
    size = rows * len(json.dumps(row(5)))
    assert size > 300e6
    unit = 1 if sys.platform == "darwin" else 1024
    done = subprocess.run(
        [sys.executable, "-c", MEASURE.format(unit=unit), path, tmp_path / "cache"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown, count, last = done.stdout.split(" ", 2)
    assert int(count) == rows
    assert str(rows - 1) in last
    assert int(grown) < size / 2, f"{int(grown) / 1e6:.0f} MB more for {size / 1e6:.0f} MB"
    path.unlink()


KINDS = ["a.csv", "a.jsonl", "a.txt", "a.parquet", "a.csv.gz", "a.jsonl.gz"]


@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("name", KINDS)
def test_a_large_file_is_the_same_as_a_small_one(reads: Any, name: str):
    path = written(reads.folder, name, 400)
    rows = reads.rows(name)
    expected = [row(n) for n in range(400)]
    if name == "a.txt":
        expected = [{"text": r["text"]} for r in expected]
    assert rows == expected
    (kept,) = (reads.folder.parent / "data-cache").iterdir()
    assert sorted(p.name for p in kept.iterdir()) == ["facts.json", "rows.arrow"]
    assert path.exists()


@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("name", KINDS)
def test_the_second_opening_reads_nothing(reads: Any, monkeypatch: pytest.MonkeyPatch, name: str):
    written(reads.folder, name, 400)
    first = reads.table(name)
    guesses, notes = reads.reading.guesses, reads.reading.notes
    for module, reader in ((files, "read_csv"), (files, "read_jsonl"), (files, "read_text"),
                           (files, "read_parquet")):  # fmt: skip
        monkeypatch.delattr(module, reader)
    again = reads.table(name)
    assert again.equals(first)
    assert (reads.reading.guesses, reads.reading.notes) == (guesses, notes)


@pytest.mark.usefixtures("smaller")
def test_a_file_that_changed_or_is_read_otherwise_is_read_again(reads: Any):
    written(reads.folder, "a.csv", 400)
    assert len(reads.rows("a.csv")) == 400
    assert len(reads.rows("a.csv", header=False)) == 401
    written(reads.folder, "a.csv", 500)
    assert len(reads.rows("a.csv")) == 500
    assert len(list((reads.folder.parent / "data-cache").iterdir())) == 1  # old ones are deleted


@pytest.mark.usefixtures("smaller")
def test_a_cache_that_is_torn_is_made_again(reads: Any):
    written(reads.folder, "a.jsonl", 400)
    before = reads.rows("a.jsonl")
    (kept,) = (reads.folder.parent / "data-cache").iterdir()
    (kept / "rows.arrow").write_bytes((kept / "rows.arrow").read_bytes()[:500])
    assert reads.rows("a.jsonl") == before
    (kept,) = (reads.folder.parent / "data-cache").iterdir()
    (kept / "facts.json").unlink()
    assert reads.rows("a.jsonl") == before


@pytest.mark.usefixtures("smaller")
def test_a_refusal_leaves_nothing_in_the_cache(reads: Any):
    path = written(reads.folder, "a.csv", 400)
    with path.open("a") as file:
        file.write("1,2,3,4,5\n")
    assert reads.refused("a.csv").field == "format"
    assert list((reads.folder.parent / "data-cache").iterdir()) == []


@pytest.mark.usefixtures("smaller")
def test_two_read_the_same_file_at_once(reads: Any):
    path = written(reads.folder, "a.jsonl", 2000)
    cache = reads.folder.parent / "cache"
    found: list[int] = []

    def read() -> None:
        found.append(read_file(path, Reading(cache=cache))["train"].num_rows)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2000] * 4
    assert len(list(cache.iterdir())) == 1


@pytest.mark.usefixtures("smaller")
@pytest.mark.parametrize("name", KINDS[:4])
def test_only_the_first_rows_are_shown_of_what_was_not_read_yet(
    reads: Any, home: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    monkeypatch.setattr(reading, "PREVIEWED", 50_000)
    path = written(reads.folder, name, 12_000)
    data = DatasetData(source=str(path))
    described = describe_dataset(data, None)
    assert described is not None
    assert described.lines[0] == "Large: its rows are counted when training starts"
    assert (len(described.rows), described.total_rows) == (20, None)
    assert not home.joinpath("cache").exists() or not list(home.glob("cache/data/*"))
    read_file(path, Reading(cache=home / "cache" / "data"))
    described = describe_dataset(data, None)
    assert described is not None
    assert described.total_rows == 12_000


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.txt", "a.parquet"])
@pytest.mark.usefixtures("smaller")
def test_a_stop_while_reading(
    reads: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    path = written(reads.folder, name, 3_000)
    folder = tmp_path / "home" / "runs" / "r1"
    folder.mkdir(parents=True)
    control = Control(folder)
    under_way, added = threading.Event(), []

    def add(sink: large.Sink, table: pa.Table, original: Any = large.Sink.add) -> None:
        original(sink, table)
        added.append(table.num_rows)
        under_way.set()
        while not control.stopping:  # the reader is slow until it is told to stop
            threading.Event().wait(0.01)

    monkeypatch.setattr(large.Sink, "add", add)
    stopper = threading.Thread(target=lambda: under_way.wait(30) and control.stop(), daemon=True)
    stopper.start()
    began = time.monotonic()
    with pytest.raises(Stopped):
        open_dataset(DatasetData(source=str(path)), None, control, Reporter(folder))
    assert time.monotonic() - began < 10
    reader = [t for t in threading.enumerate() if t.name.endswith("-work")]
    for thread in reader:
        thread.join(10)
    assert len(added) == 1  # what was left behind has ended as well
    assert list(tmp_path.glob("home/cache/data/*")) == []


def test_a_full_disk_is_a_sentence(reads: Any, monkeypatch: pytest.MonkeyPatch):
    import errno

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(large.Sink, "add", full)
    problem = reads.refused("a.csv", "a,b\nx,y\n")
    assert problem.code == "disk.full"

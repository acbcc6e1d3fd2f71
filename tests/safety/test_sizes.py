"""What is too large is refused in words, before it fills the memory or the disk."""

import bz2
import gzip
import json
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.train.data import raw
from easymodel_nb.train.data.files import read_file
from easymodel_nb.train.data.reading import Reading
from easymodel_nb.widgets import portable
from easymodel_nb.workflow.document import Workflow


def refused(work: Callable[[], object]) -> str:
    with pytest.raises(StudioError) as caught:
        work()
    assert str(caught.value).endswith(".")
    return caught.value.problems[0].code


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".json", ".txt"])
def test_a_small_file_that_unpacks_to_a_huge_one(
    tmp_path: Path, pack: Callable[[bytes], bytes], suffix: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(raw, "_ANYHOW", 1 << 20)
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(pack(b"a" * (12 << 20)))
    assert refused(lambda: read_file(path, Reading(cache=tmp_path / "cache"))) == "file.bomb"


def test_what_packs_well_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(raw, "_ANYHOW", 1 << 20)
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(
        gzip.compress(b"text,label\n" + b"".join(b"day %d,good\n" % n for n in range(200_000)))
    )
    table = read_file(path, Reading(cache=tmp_path / "cache"))["train"]
    assert table.num_rows == 200_000


def test_a_cell_and_a_line_of_megabytes_are_rows(tmp_path: Path):
    cell = 'long, "quoted" ' * 200_000  # 3 MB
    lines = tmp_path / "rows.jsonl"
    lines.write_text(
        json.dumps({"text": cell, "label": "x"}) + "\n" + '{"text": "b", "label": "y"}\n'
    )
    table = read_file(lines, Reading(cache=tmp_path / "cache"))["train"]
    assert table.column("text")[0].as_py() == cell
    quoted = tmp_path / "rows.csv"
    escaped = cell.replace('"', '""')
    quoted.write_text(f'text,label\n"{escaped}",x\nb,y\n' + "c,z\n" * 5)
    table = read_file(quoted, Reading(cache=tmp_path / "cache"))["train"]
    assert table.column("text")[0].as_py() == cell


def test_a_project_file_over_its_limit():
    text = json.dumps({"format": "easymodel.workflow", "nodes": [], "x": "y" * 1_000_001})
    assert refused(lambda: portable.unpack(text)) == "import.large"


@pytest.mark.parametrize("depth", [70, 900, 5_000, 200_000])
def test_a_document_nested_without_end(depth: int):
    text = '{"format": "easymodel.workflow", "x": ' + "[" * depth + "]" * depth + "}"
    assert refused(lambda: portable.unpack(text)) in {"workflow.invalid", "import.format"}
    assert refused(lambda: Workflow.read(text)) == "workflow.invalid"

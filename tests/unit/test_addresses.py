"""What people paste as a source: quoted paths, file URLs, paths of another machine."""

from pathlib import Path

import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.train.addresses import local_path
from easymodel_nb.train.data.open import peek
from easymodel_nb.workflow.document import DatasetData


@pytest.mark.parametrize("shape", ["{}", '"{}"', " {} ", "file://{}"])
def test_one_file_however_its_path_was_pasted(tmp_path: Path, shape: str):
    file = tmp_path / "daten.csv"
    file.write_text("text,label\ngood,a\n", encoding="utf-8")
    tables = peek(DatasetData(source=shape.format(file)), tmp_path)
    assert tables is not None
    assert tables.splits["train"].to_pylist() == [{"text": "good", "label": "a"}]


def test_a_file_url_with_an_umlaut(tmp_path: Path):
    file = tmp_path / "über uns.csv"
    assert local_path(file.as_uri(), (".csv",)) == file


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("C:\\Users\\Anna\\daten.csv", "path of a Windows computer"),
        ('"C:\\Users\\Anna\\daten.csv"', "path of a Windows computer"),
        ("s3://bucket/daten.csv", "neither a dataset on the Hub"),
    ],
)
def test_a_file_that_lies_elsewhere(tmp_path: Path, source: str, said: str):
    with pytest.raises(StudioError) as caught:
        peek(DatasetData(source=source), tmp_path)
    problem = caught.value.problems[0]
    assert problem.field == "source"
    assert said in problem.message

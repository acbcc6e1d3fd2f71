"""What the inspector is told of a dataset, and where it lies."""

import threading
from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, Sequence, Value

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import new_run
from easymodel_nb.train.control import Control
from easymodel_nb.train.data.describe import describe_dataset
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.widgets.facts import Facts
from easymodel_nb.widgets.worker import Worker
from easymodel_nb.workflow.document import DatasetData, FinetuneData, Workflow


def test_a_file(reads: Any):
    lines = "".join(f"satz {n};gut\n\n" for n in range(30))
    path = reads.write("a.csv", f"text;urteil;urteil\n{lines}")
    described = describe_dataset(DatasetData(source=str(path)), FinetuneData())
    assert described is not None
    assert described.lines == ["30 rows, 10 % held out", "local file, 3 columns"]
    assert described.columns == ["text", "urteil", "urteil_2"]
    assert len(described.rows) == 20
    assert described.rows[1] == ["satz 1", "gut", "null"]
    assert [(s.name, s.rows) for s in described.splits] == [("train", 30)]
    guessed = {guess.field: guess.value for guess in described.guesses}
    assert guessed["format.delimiter"] == ";"
    assert guessed["format.header"] is True
    assert guessed["format.encoding"] == "utf-8"
    assert all(guess.reason for guess in described.guesses)
    assert any("29 blank rows" in note for note in described.notes)
    assert described.roles["text_field"] == "text"


def test_the_user_changes_a_guess(reads: Any):
    path = reads.write("a.csv", "a;b,c\n1;x,y\n2;z,w\n")
    for delimiter, columns in ((";", ["a", "b,c"]), (",", ["a;b", "c"])):
        data = DatasetData(source=str(path), format={"delimiter": delimiter, "header": True})
        described = describe_dataset(data, None)
        assert described is not None
        assert described.columns == columns
        assert [g.field for g in described.guesses if "." in g.field] == ["format.encoding"]


def test_the_studio_takes_what_is_described(reads: Any):
    path = reads.write("a.csv", "text;label\nx;1\ny;2\n\nz;3\n")
    workflow = Workflow.model_validate(
        {"nodes": [{"id": "d1", "type": "dataset", "data": {"source": str(path)}}]}
    )
    worker = Worker("facts")
    answered = threading.Event()
    facts = Facts(worker, answered.set)
    worker.start()
    facts.of(workflow)
    assert answered.wait(30)
    (told,) = facts.of(workflow).values()
    worker.close()
    assert told.state == "ok", told.problem
    assert {guess.field for guess in told.guesses} >= {"format.delimiter", "format.header"}
    assert told.notes == ["1 blank row of a.csv left out."]
    assert [(split.name, split.rows) for split in told.splits] == [("train", 3)]


def test_null_splits_are_named_and_a_split_without_answers_is_passed_over(reads: Any):
    for split, labels in (("train", ("good", "bad")), ("test", ("", ""))):
        rows = "a fine day,{}\na grey one,{}\n".format(*labels)
        reads.write(f"{split}.csv", "text,label\n" + rows * 9)
    described = describe_dataset(
        DatasetData(source=str(reads.folder)), FinetuneData(task="classification")
    )
    assert described is not None
    guessed = {guess.field: (guess.value, guess.reason) for guess in described.guesses}
    assert guessed["train_split"] == ("train", "the split is named train")
    assert guessed["eval_split"][0] is None
    assert "'label' is empty in every row" in guessed["eval_split"][1]
    assert any("test" in note for note in described.notes)
    assert "10 % held out" in described.lines[0]


def test_classes_are_shown_by_their_names(reads: Any):
    features = Features(
        {"text": Value("string"), "label": ClassLabel(names=["neg", "pos"]),
         "tags": Sequence(ClassLabel(names=["O", "B-x"]))}
    )  # fmt: skip
    rows = {"text": ["a", "b"], "label": [1, -1], "tags": [[0, 1], [1]]}
    path = reads.folder / "named.parquet"
    path.parent.mkdir(exist_ok=True)
    Dataset.from_dict(rows, features=features).to_parquet(str(path))
    described = describe_dataset(DatasetData(source=str(path)), None)
    assert described is not None
    assert described.rows == [["a", "pos", '["O", "B-x"]'], ["b", "-1", '["B-x"]']]


def test_a_long_cell_is_cut(reads: Any):
    path = reads.write("a.jsonl", '{"text": "' + "x" * 999 + '", "m": {"k": [1]}}\n')
    described = describe_dataset(DatasetData(source=str(path)), None)
    assert described is not None
    assert described.rows == [["x" * 199 + "…", '{"k": [1]}']]


def test_what_is_on_the_network_is_looked_at_later():
    for source in ("someone/data", "https://example.org/a.csv"):
        assert describe_dataset(DatasetData(source=source), None) is None


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("what is this?", "source.unknown"),
        ("builtin:nothing", "source.builtin"),
        ("/no/such/file.csv", "file.missing"),
        ("nothing.csv.gz", "file.missing"),
        ("variable:df", "source.variable"),
    ],
)
def test_sources_that_are_none(home: Path, source: str, code: str):
    data = DatasetData(source=source)
    with pytest.raises(StudioError) as caught:
        describe_dataset(data, None)
    assert (caught.value.problems[0].code, caught.value.problems[0].field) == (code, "source")
    folder = new_run(home)
    with pytest.raises(StudioError) as caught:
        open_dataset(data, None, Control(folder), Reporter(folder))
    assert (caught.value.problems[0].code, caught.value.problems[0].field) == (code, "source")


def test_built_in_data(home: Path):
    folder = new_run(home)
    tables = open_dataset(
        DatasetData(source="builtin:requests"), None, Control(folder), Reporter(folder)
    )
    assert (tables.name, tables.kind) == ("requests", "builtin")
    assert set(tables.splits) >= {"train", "validation"}
    assert [problem.message for problem in tables.notes] == []


def test_a_source_is_read_once_until_it_changes(reads: Any, monkeypatch: pytest.MonkeyPatch):
    """The inspector asks again with every change of a field of the finetune node."""
    path = reads.write("set/train.csv", "text,label\nx,1\ny,2\n")
    data = DatasetData(source=str(path.parent))
    assert describe_dataset(data, FinetuneData(epochs=1)) is not None
    with monkeypatch.context() as without:
        without.delattr("easymodel_nb.train.data.open.read_folder")
        described = describe_dataset(data, FinetuneData(epochs=2))
        assert described is not None
        assert described.total_rows == 2
    reads.write("set/train.csv", "text,label\nx,1\ny,2\nz,3\n")
    described = describe_dataset(data, FinetuneData(epochs=2))
    assert described is not None
    assert described.total_rows == 3

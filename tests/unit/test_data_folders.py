"""Folders: split files, `datasets` folders, saved datasets; nothing from outside them."""

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from easymodel_nb.errors import StudioError
from easymodel_nb.train.data.describe import describe_dataset
from easymodel_nb.train.data.folders import read_folder
from easymodel_nb.train.data.reading import Reading
from easymodel_nb.train.roles import class_names, text_columns
from easymodel_nb.workflow.document import DatasetData, FinetuneData

ROWS = {"text": ["good", "bad", "good"], "label": [1, 0, 1]}
NAMES = ["negative", "positive"]
FEATURES = datasets.Features(
    {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)}
)
README = """---
license: cc0-1.0
configs:
- config_name: default
  data_files:
  - split: train
    path: data/train-*
  - split: test
    path: data/exam.parquet
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': negative
          '1': positive
---
# A dataset
"""


def named(*names: str) -> Any:
    def fill(reads: Any, folder: str) -> dict[str, int]:
        for name in names:
            text = '{"text": "x"}\n' if ".jsonl" in name else "one\ntwo\n"
            packed = gzip.compress(text.encode()) if name.endswith(".gz") else text
            reads.write(f"{folder}/{name}", packed)
        return {split: table.num_rows for split, table in reads.splits(folder).items()}

    return fill


def parquet(path: Path, rows: Any = ROWS, **metadata: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(rows, **metadata), path)


# ------------------------------------------------------------ split files


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (["train.jsonl", "dev.jsonl", "test.jsonl"], {"train": 1, "validation": 1, "test": 1}),
        (["train/0.jsonl", "train/1.jsonl", "val/0.jsonl"], {"train": 2, "validation": 1}),
        (["my_train.jsonl.gz", "my_valid.jsonl.gz"], {"train": 1, "validation": 1}),
        (["train-00000-of-00002.jsonl", "train-00001-of-00002.jsonl"], {"train": 2}),
        (["reviews_training_2024.jsonl", "reviews_test_2024.jsonl"], {"train": 1, "test": 1}),
        (["train.jsonl", "README.txt", "LICENSE.txt", ".hidden.jsonl"], {"train": 1}),
        (["any.jsonl"], {"train": 1}),
        (["any.jsonl", "README.txt"], {"train": 1}),
        (["part-1.jsonl", "part-2.jsonl", "part-3.jsonl"], {"train": 3}),
        (["one.txt", "two.txt", "three.txt"], {"train": 3}),
        (["Train.jsonl", "Test.jsonl"], {"train": 1, "test": 1}),
    ],
)
def test_splits_by_name(reads: Any, names: list[str], splits: dict[str, int]):
    assert named(*names)(reads, "set") == splits


def test_the_folder_itself_may_be_named_as_a_split(reads: Any):
    assert named("train.jsonl", "valid.jsonl")(reads, "test") == {"train": 1, "validation": 1}


def test_a_folder_of_texts_has_a_row_a_file(reads: Any):
    for n in range(3):
        reads.write(f"set/{n}.txt", f"line one of {n}\n\nline two\n")
    assert reads.rows("set")[1]["text"] == "line one of 1\n\nline two\n"
    assert reads.guess("format.rows") == "files"


def test_shards_with_different_columns_and_guesses_are_joined(reads: Any):
    reads.write("a/train-0.jsonl", '{"a": "x"}\n')
    reads.write("a/train-1.jsonl", '{"a": "y", "b": 1}\n')
    assert reads.rows("a") == [{"a": "x", "b": None}, {"a": "y", "b": 1}]
    reads.write("b/train-0.csv", "n,text\n1,x\n2,y\n")
    reads.write("b/train-1.csv", "n,text\nA3,z\n")
    assert [row["n"] for row in reads.rows("b")] == ["1", "2", "A3"]
    reads.write("c/train-0.jsonl", '{"a": {"b": 1}}\n')
    reads.write("c/train-1.jsonl", '{"a": "z"}\n')
    assert [row["a"] for row in reads.rows("c")] == ['{"b": 1}', "z"]


def test_folders_that_cannot_be_read(reads: Any, tmp_path: Path):
    (tmp_path / "data" / "empty").mkdir(parents=True)
    assert reads.refused("empty").code == "file.missing"
    for name in ("a.jsonl", "b.jsonl"):
        reads.write(f"two/{name}", '{"text": "x"}\n')
    problem = reads.refused("two")
    assert (problem.code, problem.field) == ("file.splits", "source")
    assert "a.jsonl, b.jsonl" in problem.message
    reads.write("twins/train.csv", "a,b\nx,y\n")
    reads.write("twins/train.jsonl", '{"a": "x"}\n')
    assert "same rows twice" in reads.refused("twins").message
    reads.write("sheets/train.xlsx", "PK")
    assert reads.refused("sheets").code == "file.spreadsheet"


def test_a_folder_of_far_too_much_is_refused(reads: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("easymodel_nb.train.data.inside._MOST", 10)
    for n in range(11):
        reads.write(f"root/{n}/train.csv", "a,b\n")
    assert reads.refused("root").code == "source.too_many"


# ------------------------------------------------------------ `datasets` folders


def test_a_card_names_splits_and_classes(reads: Any):
    reads.write("set/README.md", README)
    parquet(reads.folder / "set/data/train-0.parquet")
    parquet(reads.folder / "set/data/train-1.parquet")
    parquet(reads.folder / "set/data/exam.parquet")
    parquet(reads.folder / "set/data/unused.parquet")
    splits = reads.splits("set")
    assert {name: table.num_rows for name, table in splits.items()} == {"train": 6, "test": 3}
    for table in splits.values():
        assert class_names(table, "label") == NAMES
        assert datasets.Features.from_arrow_schema(table.schema) == FEATURES


def test_a_card_beside_csv_files_turns_names_into_classes(reads: Any):
    reads.write("set/README.md", README.replace("data/exam.parquet", "data/exam.csv"))
    for name in ("data/train-a.csv", "data/exam.csv"):
        reads.write(f"set/{name}", "text,label\ngood,positive\nbad,negative\n")
    table = reads.splits("set")["train"]
    assert table["label"].to_pylist() == [1, 0]
    assert class_names(table, "label") == NAMES


def test_a_card_that_is_wrong_does_not_hold(reads: Any):
    reads.write("set/README.md", README)
    for name in ("train-0", "exam"):
        parquet(reads.folder / f"set/data/{name}.parquet", {"text": ["x"], "stars": [5]})
    assert reads.splits("set")["train"].column_names == ["text", "stars"]
    assert reads.notes == ["card.columns"]
    for name in ("train-0", "exam"):
        parquet(reads.folder / f"set/data/{name}.parquet", {"text": ["x"], "label": ["odd"]})
    assert reads.splits("set")["train"]["label"].to_pylist() == ["odd"]
    assert reads.notes == ["card.features"]


def test_a_readme_without_yaml_is_no_card(reads: Any):
    reads.write("set/README.md", "# My data\n\nNothing else.\n")
    parquet(reads.folder / "set/train.parquet")
    assert reads.splits("set")["train"].num_rows == 3


def test_configs(reads: Any):
    names = "".join(
        f"- config_name: {n}\n  data_files: {n}/*.parquet\n" for n in ("english", "german")
    )
    reads.write("set/README.md", f"---\nconfigs:\n{names}---\n")
    parquet(reads.folder / "set/english/0.parquet")
    parquet(reads.folder / "set/german/0.parquet", {"text": ["gut"]})
    reading = Reading()
    assert read_folder(reads.folder / "set", reading, "german")["train"].num_rows == 1
    for config, code in ((None, "config.unclear"), ("french", "config.missing")):
        with pytest.raises(StudioError) as caught:
            read_folder(reads.folder / "set", reading, config)
        (problem,) = caught.value.problems
        assert (problem.code, problem.field) == (code, "config")
        assert "english, german" in problem.message


@pytest.mark.parametrize("yaml", ["configs: [", "dataset_info:\n  features: 7", "configs: 3"])
def test_broken_cards(reads: Any, yaml: str):
    reads.write("set/README.md", f"---\n{yaml}\n---\n")
    parquet(reads.folder / "set/train.parquet")
    try:
        assert reads.splits("set")["train"].num_rows == 3
    except StudioError as error:
        message = error.problems[0].message
    else:
        message = "README.md"
    assert "README.md" in message


def test_a_card_whose_files_are_not_there(reads: Any):
    reads.write("set/README.md", README)
    parquet(reads.folder / "set/data/train-0.parquet")
    problem = reads.refused("set")
    assert (problem.code, problem.field) == ("file.missing", "source")
    assert "data/exam.parquet" in problem.message


# ------------------------------------------------------------ metadata


def test_class_names_in_parquet_stay(reads: Any):
    datasets.Dataset.from_dict(ROWS, FEATURES).to_parquet(str(reads.write("a.parquet", b"")))
    table = reads.table("a.parquet")
    assert class_names(table, "label") == NAMES
    info = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert info["label"] == {"names": NAMES, "_type": "ClassLabel"}


def test_categories_are_text(reads: Any):
    path = reads.write("a.parquet", b"")
    pd.DataFrame({"text": pd.Categorical(["x", "y", "x"])}).to_parquet(path)
    assert text_columns(reads.table("a.parquet")) == ["text"]


# ------------------------------------------------------------ saved datasets


def saved(folder: Path, *, several: bool) -> None:
    data = datasets.Dataset.from_dict(ROWS, FEATURES).select([2, 0])
    held = datasets.Dataset.from_dict(ROWS, FEATURES)
    whole: Any = datasets.DatasetDict({"train": data, "validation": held}) if several else data
    whole.save_to_disk(folder)


def test_a_saved_dataset(reads: Any):
    saved(reads.folder / "one", several=False)
    table = reads.table("one")
    assert table.to_pylist() == [{"text": "good", "label": 1}] * 2
    assert class_names(table, "label") == NAMES


def test_saved_splits(reads: Any):
    saved(reads.folder / "several", several=True)
    splits = reads.splits("several")
    assert {name: table.num_rows for name, table in splits.items()} == {"train": 2, "validation": 3}
    assert class_names(splits["validation"], "label") == NAMES


def test_a_saved_dataset_that_is_torn(reads: Any):
    saved(reads.folder / "one", several=False)
    (data,) = (reads.folder / "one").glob("*.arrow")
    data.write_bytes(data.read_bytes()[:20])
    assert "save_to_disk" in reads.refused("one").message
    data.unlink()
    assert "is not there" in reads.refused("one").message
    (reads.folder / "one/state.json").write_text("{")
    assert reads.refused("one").code == "file.unreadable"


# ------------------------------------------------------------ nothing from outside


def outside(reads: Any) -> Path:
    return reads.write("secret/train.jsonl", '{"text": "secret"}\n')


def test_a_link_that_leads_out_is_refused(reads: Any):
    target = outside(reads)
    (reads.folder / "set").mkdir()
    (reads.folder / "set/train.jsonl").symlink_to(target)
    problem = reads.refused("set")
    assert (problem.code, problem.field) == ("source.outside", "source")


def test_a_link_inside_the_folder_is_fine(reads: Any):
    reads.write("set/raw/x.jsonl", '{"text": "x"}\n')
    (reads.folder / "set/train").symlink_to(reads.folder / "set/raw", target_is_directory=True)
    assert named("valid.jsonl")(reads, "set")["validation"] == 1


@pytest.mark.parametrize(
    "path",
    ["../secret/train.jsonl", "data/../../secret/*.jsonl", "/etc/*.csv", "https://x.y/z.csv"],
)
def test_a_card_that_names_files_outside_is_refused(reads: Any, path: str):
    outside(reads)
    reads.write("set/README.md", f"---\nconfigs:\n- config_name: a\n  data_files: {path}\n---\n")
    reads.write("set/train.jsonl", '{"text": "x"}\n')
    assert reads.refused("set").code == "source.outside"


def test_a_saved_dataset_that_names_files_outside_is_refused(reads: Any):
    saved(reads.folder / "one", several=False)
    saved(reads.folder / "other", several=False)
    state = json.loads((reads.folder / "one/state.json").read_text())
    state["_data_files"] = [{"filename": "../other/data-00000-of-00001.arrow"}]
    (reads.folder / "one/state.json").write_text(json.dumps(state))
    assert reads.refused("one").code == "source.outside"
    (reads.folder / "two").mkdir()
    (reads.folder / "two/dataset_dict.json").write_text('{"splits": ["../other"]}')
    assert reads.refused("two").code == "source.outside"


def test_a_snapshot_of_the_hub_cache_is_read(reads: Any):
    """Its files are links to the blobs beside it."""
    blob = reads.write("hub/datasets--x--y/blobs/abc", '{"text": "x"}\n')
    snapshot = reads.folder / "hub/datasets--x--y/snapshots/123"
    snapshot.mkdir(parents=True)
    (snapshot / "train.jsonl").symlink_to(blob)
    assert reads.rows("hub/datasets--x--y/snapshots/123") == [{"text": "x"}]
    (snapshot / "test.jsonl").symlink_to(outside(reads))
    assert reads.refused("hub/datasets--x--y/snapshots/123").code == "source.outside"


def test_a_loading_script_is_not_run(reads: Any, monkeypatch: pytest.MonkeyPatch):
    reads.write("squads/squads.py", "open('it-was-run', 'w')\nimport datasets\n")
    reads.write("squads/train.jsonl", '{"text": "x"}\n')
    monkeypatch.chdir(reads.folder)
    for folder in ("squads",):
        problem = reads.refused(folder)
        assert (problem.code, problem.field) == ("source.script", "source")
        assert "never run here" in problem.message
    reads.write("other/loader.py", "open('it-was-run', 'w')\n")
    assert reads.refused("other").code == "source.script"
    assert not Path("it-was-run").exists()


# ------------------------------------------------------------ texts in the folders of their classes


def texts_of_classes(reads: Any, *above: str) -> None:
    for number in range(3):
        for part in above:
            for name in ("neg", "pos"):
                reads.write(f"films/{part}{name}/{number}.txt", f"{part}{name} {number}\n\nEnd.")


def test_folders_name_the_classes_of_each_split(reads: Any):
    texts_of_classes(reads, "train/", "test/")
    splits = reads.splits("films")
    assert set(splits) == {"train", "test"}
    assert splits["train"]["label"].to_pylist() == ["neg"] * 3 + ["pos"] * 3
    assert splits["test"]["text"].to_pylist()[-1] == "test/pos 2\n\nEnd."  # a file is a row
    assert reads.guess("format.rows") == "files"


def test_folders_name_the_classes_without_splits(reads: Any):
    texts_of_classes(reads, "")
    assert reads.table("films")["label"].to_pylist() == ["neg"] * 3 + ["pos"] * 3


def test_a_folder_of_its_own_for_each_text_is_no_class(reads: Any):
    for number in range(3):
        reads.write(f"films/{number}/text.txt", f"film {number}")
    assert reads.table("films").column_names == ["text"]


# ------------------------------------------------------------ as Kaggle hands it out


def test_a_file_of_no_split_is_named_and_a_test_without_labels_is_not_measured(reads: Any):
    rows = "".join(f"{n},film {n} was good,{'ab'[n % 2]}\n" for n in range(20))
    reads.write("comp/train.csv", f"id,text,label\n{rows}")
    reads.write("comp/test.csv", "id,text\n1,another film\n2,a third one\n")
    reads.write("comp/sample_submission.csv", "id,label\n1,a\n2,b\n")
    reads.write("comp/LICENSE.txt", "CC0")
    assert set(reads.splits("comp")) == {"train", "test"}
    assert reads.notes == ["files.left_out"]
    assert "sample_submission.csv" in reads.reading.notes[0].message
    told = describe_dataset(
        DatasetData(source=str(reads.folder / "comp")), FinetuneData(task="classification")
    )
    assert told is not None
    assert told.lines[0] == "20 rows, 10 % held out"

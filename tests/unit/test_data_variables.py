"""Variables of the notebook: listed, written into the run's folder, read from there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow as pa
import pytest

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.runlog.log import new_run
from easymodel_nb.train.control import Control
from easymodel_nb.train.data import variables
from easymodel_nb.train.data.describe import describe_dataset
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.data.reading import DatasetTables
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.roles import class_names
from easymodel_nb.workflow.document import DatasetData

ROWS = [{"text": f"row {n}", "label": n % 2} for n in range(10)]
NAMES = ["no", "yes"]
FEATURES = datasets.Features(
    {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=NAMES)}
)


class Moody:
    """Answers nothing without complaint."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


@pytest.fixture
def space() -> Iterator[dict[str, Any]]:
    """The notebook's variables."""
    there: dict[str, Any] = {}
    variables.look_in(lambda: there)
    yield there
    variables.look_in(None)


def opened(home: Path, name: str, folder: Path | None = None) -> DatasetTables:
    folder = folder or new_run(home)
    return open_dataset(
        DatasetData(source=f"variable:{name}"), None, Control(folder), Reporter(folder)
    )


def refused(home: Path, name: str) -> Problem:
    with pytest.raises(StudioError) as caught:
        opened(home, name)
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("source.variable", "source")
    assert problem.message.endswith(".")
    return problem


def dataset() -> datasets.Dataset:
    return datasets.Dataset.from_list(ROWS, FEATURES)


KINDS: dict[str, Any] = {
    "DataFrame": lambda: pd.DataFrame(ROWS),
    "Dataset": dataset,
    "list of dicts": lambda: ROWS,
    "Arrow table": lambda: pa.Table.from_pylist(ROWS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_every_kind(home: Path, space: dict[str, Any], kind: str):
    space["mine"] = KINDS[kind]()
    tables = opened(home, "mine")
    assert tables.splits["train"].to_pylist() == ROWS
    assert (tables.name, tables.kind) == ("mine", "variable")
    assert variables.listing() == [
        {"name": "mine", "kind": kind, "rows": 10, "columns": ["text", "label"]}
    ]


def test_a_dict_of_datasets_keeps_splits_and_classes(home: Path, space: dict[str, Any]):
    space["d"] = datasets.DatasetDict({"train": dataset(), "validation": dataset().select([3])})
    splits = opened(home, "d").splits
    assert {name: table.num_rows for name, table in splits.items()} == {
        "train": 10,
        "validation": 1,
    }
    assert class_names(splits["validation"], "label") == NAMES
    assert variables.listing()[0]["rows"] == 11


def test_rows_that_were_selected_and_shuffled(home: Path, space: dict[str, Any]):
    space["d"] = dataset().shuffle(seed=1).select(range(4))
    assert opened(home, "d").splits["train"].to_pylist() == space["d"].to_list()


def test_frames_as_people_have_them(home: Path, space: dict[str, Any]):
    frame = pd.DataFrame({"text": ["a", "b"], 7: [1, "x"], "kind": pd.Categorical(["u", "v"])})
    space["f"] = frame
    assert opened(home, "f").splits["train"].to_pylist() == [
        {"text": "a", "7": "1", "kind": "u"},
        {"text": "b", "7": "x", "kind": "v"},
    ]
    assert list(frame.columns) == ["text", 7, "kind"]  # it is the user's
    space["g"] = pd.DataFrame(ROWS).groupby("label").first()
    assert opened(home, "g").splits["train"].column_names == ["label", "text"]
    space["h"] = pd.DataFrame(ROWS)[lambda f: f.label == 1]
    assert opened(home, "h").splits["train"].column_names == ["text", "label"]


# ------------------------------------------------------------ the run's own copy


def test_the_run_keeps_what_it_was_given(home: Path, space: dict[str, Any]):
    folder = new_run(home)
    space["mine"] = pd.DataFrame(ROWS)
    first = opened(home, "mine", folder)
    space["mine"] = pd.DataFrame({"other": [1]})
    assert opened(home, "mine", folder).splits["train"].equals(first.splits["train"])
    del space["mine"]
    variables.look_in(lambda: None)  # such as another process
    assert opened(home, "mine", folder).splits["train"].equals(first.splits["train"])
    facts = json.loads((folder / "data" / "variable.json").read_text())
    assert facts["name"] == "mine"
    assert len(facts["fingerprints"]["train"]) == 16
    assert pd.read_parquet(folder / "data" / "train.parquet").to_dict("records") == ROWS


def test_names_of_splits_are_no_paths(home: Path, space: dict[str, Any]):
    space["d"] = datasets.DatasetDict()
    dict.__setitem__(space["d"], "../../train", dataset())
    folder = new_run(home)
    assert list(opened(home, "d", folder).splits) == ["../../train"]
    assert {p.parent for p in home.rglob("*.parquet")} == {folder / "data"}


# ------------------------------------------------------------ what is no data


def test_without_a_notebook(home: Path):
    assert "needs the notebook" in refused(home, "df").message


def test_a_variable_that_is_not_there(home: Path, space: dict[str, Any]):
    space["other"] = pd.DataFrame(ROWS)
    message = refused(home, "df").message
    assert "no variable 'df'. There are other. Run the cell" in message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (3, "is a int"),
        ([1, 2], "is a list"),
        ([], "is a list"),
        ([*ROWS * 6, "no row"], "does not hold dicts alone"),
        (pd.DataFrame({"a": [object(), object()]}), "cannot be written as a table"),
    ],
)
def test_what_is_no_data(home: Path, space: dict[str, Any], value: Any, says: str):
    space["x"] = value
    assert says in refused(home, "x").message


def test_no_rows(home: Path, space: dict[str, Any]):
    space["x"] = pd.DataFrame({"text": []})
    with pytest.raises(StudioError, match="has no rows"):
        opened(home, "x")


def test_the_list_is_safe_and_short(space: dict[str, Any]):
    space |= {"_": pd.DataFrame(ROWS), "Out": [{}], "moody": Moody(), "n": 3, "text": "x"}
    space |= {"words": ["a"], "B": pd.DataFrame(ROWS), "a": ROWS}
    assert [item["name"] for item in variables.listing()] == ["a", "B"]


def test_a_running_notebook_is_found(home: Path):
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        shell.user_ns["mine"] = pd.DataFrame(ROWS)
        assert "mine" in [item["name"] for item in variables.listing()]
        assert opened(home, "mine").splits["train"].num_rows == 10
    finally:
        InteractiveShell.clear_instance()
    assert variables.listing() == []


# ------------------------------------------------------------ the inspector


def test_a_variable_is_described(space: dict[str, Any]):
    space["mine"] = pd.DataFrame(ROWS)
    described = describe_dataset(DatasetData(source="variable: mine"), None)
    assert described is not None
    assert described.lines == ["10 rows, 10 % held out", "variable of the notebook, 2 columns"]
    assert described.rows[3] == ["row 3", "1"]

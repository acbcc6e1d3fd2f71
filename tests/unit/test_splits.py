"""Which split is trained on, which is measured, and why."""

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pytest

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.roles import Roles
from easymodel_nb.train.splits import (
    Splits,
    choose_splits,
    eval_split,
    hides,
    split_table,
    train_split,
    unlabelled,
)
from easymodel_nb.workflow.document import DatasetData


@dataclass
class Tables:
    splits: dict[str, pa.Table]


def of(*names: str, rows: int = 10) -> Tables:
    return Tables(
        {name: pa.table({"text": [f"{name} {n}" for n in range(rows)]}) for name in names}
    )


def labelled(classes: list[str] | None = None, **splits: list[Any]) -> Tables:
    meta = None
    if classes:
        feature = {"names": classes, "_type": "ClassLabel"}
        meta = {"huggingface": json.dumps({"info": {"features": {"label": feature}}})}
    return Tables(
        {
            name: pa.table(
                {"text": [f"{name} {n}" for n in range(len(labels))], "label": labels}
            ).replace_schema_metadata(meta)
            for name, labels in splits.items()
        }
    )


ROLES = Roles(text="text", label="label")


def chosen(tables: Tables, roles: Roles | None = None, **data: Any) -> Splits:
    return choose_splits(tables, DatasetData(source="x", **data), roles)


def problem(tables: Tables, roles: Roles | None = None, **data: Any) -> Problem:
    with pytest.raises(StudioError) as caught:
        chosen(tables, roles, **data)
    return caught.value.problems[0]


# ------------------------------------------------------------ by name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["train"], ("train", None)),
        (["data"], ("data", None)),
        (["train", "test"], ("train", "test")),
        (["test", "train", "validation"], ("train", "validation")),
        (["train", "dev", "test"], ("train", "dev")),
        (["train", "val", "valid"], ("train", "valid")),
        (["Train", "Test"], ("Train", "Test")),
        (["train", "unsupervised"], ("train", None)),
        (["test"], ("test", None)),
    ],
)
def test_splits_are_found_by_name(names: list[str], expected: tuple[str, str | None]):
    found = chosen(of(*names))
    assert (found.train_name, found.eval_name) == expected
    assert found.train_reason
    assert found.eval_reason
    assert (found.evaluation is None) == (expected[1] is None)
    data = DatasetData(source="x")
    assert train_split(of(*names), data) == expected[0]
    assert eval_split(of(*names), data, expected[0]) == expected[1]


def test_the_reasons():
    assert chosen(of("train", "test")).eval_reason == "the split is named test"
    held = chosen(of("all"), eval_fraction=0.25)
    assert held.train_reason == "it is the only split"
    assert held.eval_reason == "no other split is there: 25 % of the rows are held out"
    named = chosen(of("a", "b"), train_split="a", eval_split="b")
    assert (named.train_reason, named.eval_reason) == (None, None)


def test_no_split_is_named_train():
    found = problem(of("first", "second"))
    assert (found.code, found.field) == ("split.unclear", "train_split")


def test_a_named_split_that_is_not_there():
    found = problem(of("train", "test"), eval_split="Test ")
    assert (found.code, found.field) == ("split.missing", "eval_split")
    assert found.message == "There is no split 'Test '; the data has train, test."
    assert found.fix is not None
    assert found.fix.set is not None
    assert found.fix.set[0].value == "test"
    assert problem(of("train"), train_split="exam").fix is None


# ------------------------------------------------------------ slices


@pytest.mark.parametrize(
    ("name", "first", "rows"),
    [
        ("train[:10%]", "train 0", 10),
        ("train[10:20]", "train 10", 10),
        ("train[-5:]", "train 95", 5),
        ("train[90%:]", "train 90", 10),
        ("train[ :3 ]", "train 0", 3),
        ("test[:2]+train[:2]", "test 0", 4),
        ("train[:1000]", "train 0", 100),
    ],
)
def test_slices(name: str, first: str, rows: int):
    table = split_table(of("train", "test", rows=100).splits, name, "train_split")
    assert table.num_rows == rows
    assert table["text"][0].as_py() == first


def test_a_slice_is_trained_on_and_the_rest_is_measured():
    found = chosen(of("train", rows=50), train_split="train[:80%]", eval_split="train[80%:]")
    assert found.train.num_rows == 40
    assert found.evaluation is not None
    assert found.evaluation["text"][0].as_py() == "train 40"


def test_a_slice_of_train_is_never_measured_on_the_whole_of_it():
    found = chosen(of("test"), train_split="test[:5]")
    assert found.eval_name is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("train[:x]", "split.slice"),
        ("exam[:3]", "split.slice"),
        ("train[", "split.slice"),
        ("train[5:2]", "split.empty"),
        ("train[200:]", "split.empty"),
    ],
)
def test_a_slice_that_cannot_be_read(name: str, code: str):
    found = problem(of("train", rows=100), train_split=name)
    assert (found.code, found.field) == (code, "train_split")
    assert name in found.message


def test_a_split_may_be_called_like_a_slice():
    assert chosen(of("train[old]"), train_split="train[old]").train.num_rows == 10


# ------------------------------------------------------------ hidden labels


@pytest.mark.parametrize("labels", [[-1, -1], [None, None], [-1, None]])
def test_a_test_split_without_labels_is_passed_over(labels: list[Any]):
    found = chosen(labelled(["a", "b"], train=[0, 1, 0], test=labels), ROLES)
    assert found.eval_name is None
    assert found.eval_reason is not None
    assert found.eval_reason.startswith("test is not used, because its ")
    assert found.eval_reason.endswith("10 % of the rows are held out")


def test_hidden_labels_need_no_names():
    found = chosen(labelled(train=[0, 1, 0], test=[-1, -1]), ROLES)
    assert found.eval_name is None
    assert "hidden (every 'label' is -1)" in str(found.eval_reason)


def test_a_minus_one_that_is_a_class_is_kept():
    tables = labelled(train=[-1, 0, 1], test=[-1, -1])
    assert not hides(tables.splits["train"], "label")
    assert chosen(tables, ROLES).eval_name == "test"


def test_with_named_classes_a_minus_one_is_hidden_also_where_train_has_it():
    tables = labelled(["entailment", "neutral"], train=[-1, 0, 1], test=[-1, -1])
    assert hides(tables.splits["train"], "label")
    assert chosen(tables, ROLES).eval_name is None


def test_one_label_is_enough_to_measure():
    assert chosen(labelled(train=[0, 1], test=[-1, 1]), ROLES).eval_name == "test"


def test_the_next_split_is_taken_and_the_reason_says_so():
    found = chosen(labelled(train=["a", "b"], validation=[None, ""], test=["a", "b"]), ROLES)
    assert found.eval_name == "test"
    assert found.eval_reason == (
        "the split is named test; validation is not used, because its 'label' is empty in every row"
    )
    (told,) = found.problems
    assert (told.code, told.severity, told.field) == ("split.passed_over", "note", "eval_split")
    assert told.message == (
        "The split validation cannot be measured, because its 'label' is empty in every row; "
        "test is measured instead."
    )


def test_a_test_split_without_the_column_or_with_empty_targets():
    tables = of("train", "test")
    assert chosen(tables, Roles(text="text")).eval_name == "test"
    without = Tables(
        {"train": labelled(train=["a"]).splits["train"], "test": tables.splits["test"]}
    )
    assert "it has no column 'label'" in str(chosen(without, ROLES).eval_reason)
    roles = Roles(prompt="q", target="a")
    pairs = Tables(
        {
            "train": pa.table({"q": ["x"], "a": ["y"]}),
            "test": pa.table({"q": ["x", "z"], "a": ["", "  "]}),
        }
    )
    assert "its 'a' is empty in every row" in str(chosen(pairs, roles).eval_reason)


def test_a_named_split_without_labels_is_refused():
    found = problem(labelled(["a"], train=[0], test=[-1, -1]), ROLES, eval_split="test")
    assert (found.code, found.field) == ("split.unlabelled", "eval_split")
    assert found.fix is not None
    assert found.fix.set is not None
    assert found.fix.set[0].value is None


def test_tags_that_are_all_hidden():
    train = pa.table({"tokens": [["a", "b"]], "tags": [[0, 1]]})
    test = pa.table({"tokens": [["a", "b"]], "tags": [[-1, -1]]})
    assert unlabelled(test, train, Roles(text="tokens", label="tags"))
    assert unlabelled(train, train, Roles(text="tokens", label="tags")) is None

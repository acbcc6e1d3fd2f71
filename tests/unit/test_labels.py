"""Labels as people write them become classes; what cannot be learned as classes is refused."""

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.tasks import labels as reading
from easymodel_nb.train.tasks.labels import Labels, spelled


@pytest.mark.parametrize(
    ("value", "declared", "name"),
    [
        (True, None, "true"),
        (False, None, "false"),
        (3, None, "3"),
        (3.0, None, "3"),
        (Decimal("4.0"), None, "4"),
        (2.5, None, "2.5"),
        (-1, None, "-1"),
        (1, ["no", "yes"], "yes"),
        (1.0, ["no", "yes"], "yes"),
        (-1, ["no", "yes"], None),
        (2, ["no", "yes"], None),
        ("  very \n good ", None, "very good"),
        ("", None, None),
        ("   ", None, None),
        (None, None, None),
        (math.nan, None, None),
        (math.inf, None, None),
        ("e\u0301t\u00e9", None, "\u00e9t\u00e9"),
    ],
)
def test_a_cell_as_a_name(value: Any, declared: list[str] | None, name: str | None):
    assert spelled(value, declared) == name


@pytest.mark.parametrize(
    ("cells", "names"),
    [
        ([2, 10, 1], ("1", "2", "10")),
        ([1, -1, 0], ("-1", "0", "1")),
        ([1.0, 0.0, None], ("0", "1")),
        ([True, False], ("false", "true")),
        (["b", " a", "b "], ("a", "b")),
        (["10", "9"], ("9", "10")),
        (["Zug", "auto", "Bus"], ("auto", "Bus", "Zug")),
        ([0.5, 1.5, 1.0], ("0.5", "1", "1.5")),
    ],
)
def test_the_order_of_the_classes(cells: list[Any], names: tuple[str, ...]):
    assert reading.read(cells, [], None).names == names


def test_declared_names_keep_their_numbers_also_without_rows():
    labels = reading.read([2, 0, 2], [0], ["z", "y", "x"])
    assert labels.names == ("z", "y", "x")
    assert labels.declared
    assert labels.number(2, ["z", "y", "x"]) == 2
    assert labels.number(-1, ["z", "y", "x"]) is None


def test_spellings_that_differ_in_case_are_one_class_and_said_so():
    labels = reading.read(["Positive", "positive", "positive", "NEG"], ["neg"], None)
    assert labels.names == ("NEG", "positive")
    assert labels.number(" POSITIVE ", None) == 1
    (note,) = [n for n in reading.notes(labels, [1, 3], [1, 0]) if n.code == "label.variants"][:1]
    assert note.severity == "note"
    said = {n.message for n in reading.notes(labels, [1, 3], [1, 1])}
    assert "'positive' and 'Positive' were read as one class." in said


def test_lists_are_several_labels():
    labels = reading.read([["a", "B"], [], ["b"]], [["c"]], None)
    assert labels.several
    assert labels.names == ("a", "B", "c")
    assert labels.numbers(["b", "a", "b"], None) == [0, 1]
    assert labels.numbers([], None) == []
    assert labels.numbers(None, None) is None


LABELS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 50),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(["Yes", "yes", " YES", "no", "NO "]),
)


@given(st.lists(LABELS, max_size=30), st.lists(LABELS, max_size=10))
def test_every_cell_has_the_class_of_its_name_or_none(train: list[Any], evaluation: list[Any]):
    labels = reading.read(train, evaluation, None)
    keys = [reading.key_of(name) for name in labels.names]
    assert len(set(keys)) == len(keys)
    for cell in (*train, *evaluation):
        name, number = spelled(cell), labels.number(cell, None)
        if name is None:
            assert number is None
        else:
            assert number is not None
            assert reading.key_of(labels.names[number]) == reading.key_of(name)


# ------------------------------------------------------------ refusals


def refused(cells: list[Any], other: str | None = None) -> Problem:
    labels = reading.read(cells, [], None)
    numbers = [labels.number(c, None) for c in cells]
    counts = [numbers.count(place) for place in range(len(labels.names))]
    share = len(labels.names) / max(1, len(cells))
    with pytest.raises(StudioError) as caught:
        reading.refuse(labels, counts, share, "answer", lambda: other)
    (problem,) = caught.value.problems
    assert problem.field == "label_field"
    assert problem.severity == "error"
    return problem


def accepted(cells: list[Any]) -> None:
    labels = reading.read(cells, [], None)
    numbers = [labels.number(c, None) for c in cells]
    counts = [numbers.count(place) for place in range(len(labels.names))]
    reading.refuse(labels, counts, len(labels.names) / len(cells), "answer", lambda: None)


def test_one_class_only():
    problem = refused(["spam"] * 20, other="topic")
    assert problem.code == "label.one_class"
    assert "'spam'" in problem.message
    assert "at least two classes" in problem.message
    assert problem.fix is not None
    assert problem.fix.set is not None
    assert (problem.fix.set[0].field, problem.fix.set[0].value) == ("label_field", "topic")


def test_no_label_at_all():
    assert refused([None, "", math.nan]).code == "label.empty"


def test_a_quantity_is_no_label():
    problem = refused([round(20 + i * 0.37, 2) for i in range(100)])
    assert problem.code == "label.quantity"
    assert "regression" in problem.message


def test_an_identifier_is_no_label():
    assert refused([f"user-{i}" for i in range(100)]).code == "label.too_many"
    assert refused(list(range(1000, 1100))).code == "label.quantity"


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2, 3, 4, 5] * 4,
        [0.5, 1.0, 1.5] * 5,
        [f"class {i % 77}" for i in range(400)],
        list(range(77)) * 12,
        ["a", "b"],
        [i % 150 for i in range(3000)],
        [i % 150 + 1 for i in range(600)],
    ],
)
def test_what_can_be_learned_is_not_refused(cells: list[Any]):
    accepted(cells)


def test_classes_on_one_side_alone_are_named():
    labels = Labels(("a", "b", "c", "d"))
    said = {n.code: n.message for n in reading.notes(labels, [5, 0, 3, 2], [1, 2, 0, 0])}
    assert set(said) == {"label.unseen", "label.unmeasured"}
    assert said["label.unseen"].startswith("'b' is in the validation rows alone")
    assert said["label.unmeasured"].startswith("'c' and 'd' are in no validation row")


@pytest.mark.parametrize(
    ("cells", "together"),
    [
        (["sport, art", "sport", "art, politics", "politics"], ["art, politics", "sport, art"]),
        (["Action|Comedy", "Comedy", "Action"], ["Action|Comedy"]),
        (["a;b", "b;a", "a"], ["a;b", "b;a"]),
        (["['a' 'b']", "['b' 'a']"], []),
        (["Berlin, Germany", "Paris, France", "Munich, Germany"], []),
        (["1,0", "2,0", "3,0"], []),
        (["spam", "ham"], []),
        ([["a, b", "a", "b"]], []),
    ],
)
def test_several_labels_in_one_cell_are_asked_about(cells: list[Any], together: list[str]):
    labels = reading.read(cells, [], None)
    found = [
        problem
        for problem in reading.notes(labels, [1] * len(labels.names), [1] * len(labels.names))
        if problem.code == "label.together"
    ]
    assert [problem.severity for problem in found] == ["ask"] * bool(together)
    assert all(repr(name) in found[0].message for name in together)

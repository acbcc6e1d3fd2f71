"""Which column plays which role, and what text a row gives."""

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.roles import Roles, as_text, choose, prompt_and_target, value_at
from easymodel_nb.workflow.document import FinetuneData


def table(*names: str, **columns: list[Any]) -> pa.Table:
    return pa.table({**{name: ["x", "y"] for name in names}, **columns})


def chosen(data: pa.Table, **finetune: Any) -> tuple[str | None, str | None, str | None]:
    roles = choose(data, FinetuneData(**finetune))
    return roles.text, roles.prompt, roles.target


def problems(data: pa.Table, **finetune: Any) -> list[Problem]:
    with pytest.raises(StudioError) as caught:
        choose(data, FinetuneData(**finetune))
    return caught.value.problems


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["prompt", "completion"], (None, "prompt", "completion")),
        (["Instruction", "Output", "id"], (None, "Instruction", "Output")),
        (["question", "answer", "id"], (None, "question", "answer")),
        (["text"], ("text", None, None)),
        (["id", "content"], ("content", None, None)),
        (["anything"], ("anything", None, None)),
    ],
)
def test_columns_are_chosen_by_name(columns: list[str], expected: tuple[Any, ...]):
    assert chosen(table(*columns)) == expected
    assert all(reason for *_, reason in choose(table(*columns), FinetuneData()).reasons)


def test_among_unknown_names_the_longest_text_is_learned():
    assert chosen(table(a=["x"] * 2, b=["a long text"] * 2, n=[1, 2])) == ("b", None, None)


def test_what_is_named_is_taken():
    data = table("prompt", "target", "other")
    assert chosen(data, text_field="other") == ("other", None, None)
    assert chosen(data, prompt_field="other", target_field="prompt") == (None, "other", "prompt")
    assert (
        chosen(data, target_field="prompt") == (None, "other", "prompt")
        or chosen(data, target_field="prompt")[2] == "prompt"
    )
    assert choose(data, FinetuneData(text_field="other")).reasons == ()


def test_a_missing_column_is_named_and_a_likely_one_offered():
    (problem,) = problems(table("Text", "label"), text_field="text")
    assert (problem.code, problem.field) == ("column.missing", "text_field")
    assert problem.message == "Text field: there is no column 'text'. The data has Text, label."
    assert problem.fix is not None
    assert problem.fix.label == "Use 'Text'"
    assert [(c.field, c.value) for c in problem.fix.set or []] == [("text_field", "Text")]


def test_every_missing_column_is_told_at_once():
    found = problems(table("a", "b"), prompt_field="x", target_field="y")
    assert [problem.field for problem in found] == ["prompt_field", "target_field"]
    assert [p.field for p in problems(table("a"), template="{a} and {gone}")] == ["template"]


def test_a_table_without_text():
    (problem,) = problems(table(n=[1, 2]))
    assert (problem.code, problem.field) == ("column.no_text", "text_field")
    (problem,) = problems(table("target"), target_field="target")
    assert problem.field == "prompt_field"


# ------------------------------------------------------------ values


ROW = {
    "answers": {"text": ["yes", "no"], "start": [3]},
    "translation": {"de": "Haus", "en": None},
    "a.b": "dotted name",
    "turns": [{"said": "hi"}],
    "n": 7,
    "empty": "",
}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("answers.text[0]", "yes"),
        ("answers.text[1]", "no"),
        ("answers.text[2]", None),
        ("translation.de", "Haus"),
        ("translation.en", None),
        ("translation.fr.x", None),
        ("turns[0].said", "hi"),
        ("a.b", "dotted name"),
        ("n", 7),
        ("gone", None),
        ("n.x", None),
    ],
)
def test_a_path_names_a_nested_value(path: str, value: Any):
    assert value_at(ROW, path) == value


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text())
def test_any_path_into_any_row_is_a_value_or_none(row: dict[str, Any], path: str):
    value = value_at(row, path)
    assert value is None or json.dumps(value) in json.dumps(row)
    assert (text := as_text(value)) is None or text.strip()


@given(JSON)
def test_a_cell_is_text_or_nothing(value: Any):
    text = as_text(value)
    assert text is None or (isinstance(text, str) and text.strip() != "")
    if isinstance(value, str) and value.strip():
        assert text == value  # never stripped: the leading space of a target is learned


def test_what_a_row_gives():
    assert prompt_and_target({"t": "x"}, Roles(text="t")) == (None, "x")
    pair = Roles(prompt="p", target="t")
    assert prompt_and_target({"p": "q", "t": " a"}, pair) == ("q", " a")
    for row in ({"p": None, "t": "a"}, {"p": "q", "t": "  "}, {"p": "q"}):
        assert prompt_and_target(row, pair) is None


def test_a_template_builds_text_from_columns():
    roles = Roles(template="Q: {q}\nA: {answers.text[0]} {n}", target=None)
    row = {"q": "why?", "answers": {"text": ["so"]}, "n": 7}
    assert prompt_and_target(row, roles) == (None, "Q: why?\nA: so 7")
    assert prompt_and_target({"q": "why?"}, roles) is None
    assert roles.columns == ["q", "answers.text[0]", "n"]
    with_target = Roles(template="Q: {q}", target="t")
    assert prompt_and_target({"q": "{t}", "t": "b"}, with_target) == ("Q: {t}", "b")

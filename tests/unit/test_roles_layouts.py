"""The column layouts that people bring, and the roles that are guessed in them."""

from pathlib import Path
from typing import Any

import pytest

from easymodel_nb.train.roles import ROLE_FIELDS, candidates, choose
from easymodel_nb.workflow.document import FinetuneData

HERE = Path(__file__).parent


def _layouts() -> Any:
    import importlib.util

    spec = importlib.util.spec_from_file_location("layouts", HERE / "layouts.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


layouts = _layouts()


def cases(table: list[Any]) -> Any:
    return pytest.mark.parametrize("case", table, ids=[case[0].replace(" ", "-") for case in table])


def test_there_are_many_layouts():
    counts = map(len, (layouts.CLASSIFICATION, layouts.SEQ2SEQ, layouts.GENERATION, layouts.TOKENS))
    assert sum(counts) > 100


@cases(layouts.CLASSIFICATION)
def test_classification(case: Any):
    _, columns, classes, expected = case
    table = layouts.table(columns, classes)
    roles = choose(table, FinetuneData(task="classification"))
    assert (roles.text, roles.text_pair, roles.label) == expected
    told(roles.fields, roles.reasons)
    offered(table, "classification", roles.fields)


@cases(layouts.SEQ2SEQ)
def test_seq2seq(case: Any):
    _, columns, expected = case
    table = layouts.table(columns)
    roles = choose(table, FinetuneData(task="seq2seq"))
    assert (roles.prompt, roles.target, roles.template) == expected
    told(roles.fields, roles.reasons)
    offered(table, "seq2seq", roles.fields)


@cases(layouts.GENERATION)
def test_generation(case: Any):
    _, columns, expected = case
    table = layouts.table(columns)
    roles = choose(table, FinetuneData(task="generation"))
    assert roles.fields == expected
    told(roles.fields, roles.reasons)
    offered(table, "generation", roles.fields)


@cases(layouts.TOKENS)
def test_token_classification(case: Any):
    _, columns, classes, expected = case
    table = layouts.table(columns, classes)
    roles = choose(table, FinetuneData(task="token_classification"))
    assert (roles.text, roles.label) == expected
    told(roles.fields, roles.reasons)
    offered(table, "token_classification", roles.fields)


def told(fields: dict[str, str], reasons: Any) -> None:
    """Every guess has a reason, under its field and with the path that was taken."""
    assert {field: path for field, path, _ in reasons} == fields
    for *_, why in reasons:
        assert why
        assert not why.endswith(".")


def offered(table: Any, task: Any, fields: dict[str, str]) -> None:
    """What was guessed stands in the drop-down of its field, and a named guess is kept as it is."""
    offers = candidates(table, task)
    assert list(offers) == list(ROLE_FIELDS[task])
    for field, path in fields.items():
        if field != "template":
            assert path in offers[field]
    again = choose(table, FinetuneData(task=task, **fields))
    assert again.fields == fields
    assert again.reasons == ()

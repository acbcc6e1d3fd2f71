"""Each of the four tasks, walked through the canvas: made, looked at, trained, read."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from harness.lab import LabPage
from harness.projects import QUICK, prepare, runs
from playwright.sync_api import Locator, expect

FAST = {"subset_size": "60", "epochs": "1", "max_length": "128", "batch_size": "8"}


class Walk(NamedTuple):
    """What the canvas shows of one task."""

    title: str
    first: tuple[str, str]  # the sixth field of the node and the column that null means
    second: tuple[str, str]
    labels: tuple[str, str]
    inspector: tuple[str, ...]  # fields that the inspector adds
    absent: tuple[str, ...]
    summary: str


WALKS = {
    "generation": Walk(
        "Generation",
        ("prompt_field", "prompt"),
        ("target_field", "target"),
        ("Prompt field", "Target field"),
        ("text_field", "template", "messages_field"),
        ("label_field", "source_prefix", "text_pair_field"),
        "Generation, 1 epoch, batch 8, 60 rows",
    ),
    "classification": Walk(
        "Classification",
        ("text_field", "text"),
        ("label_field", "intent"),
        ("Text field", "Label field"),
        ("text_pair_field", "class_weights"),
        ("target_field", "template", "messages_field"),
        "Classification, 1 epoch, batch 8, 60 rows",
    ),
    "token_classification": Walk(
        "Token classification",
        ("text_field", "tokens"),
        ("label_field", "tags"),
        ("Words field", "Tags field"),
        ("class_weights",),
        ("text_pair_field", "target_field", "template"),
        "Token classification, 1 epoch, batch 8, 60 rows",
    ),
    "seq2seq": Walk(
        "Sequence to sequence",
        ("prompt_field", "prompt"),
        ("target_field", "target"),
        ("Source field", "Target field"),
        ("template", "source_prefix"),
        ("text_field", "label_field", "messages_field"),
        "Sequence to sequence, 1 epoch, batch 8, 60 rows",
    ),
}


def from_template(page: LabPage, title: str) -> None:
    """Make a project with the menu beside New project."""
    page.hook("project-template").click()
    page.page.get_by_role("menuitem", name=title, exact=True).click()
    expect(page.page.locator('[data-testid="project-item"][aria-current]')).to_contain_text(title)
    expect(page.node()).to_have_count(1)


def options(page: LabPage, field: Locator) -> list[str]:
    """The choices of a drop-down, which is closed again."""
    field.locator("xpath=..").locator(".em-combo-arrow").click()
    listed = field.locator("xpath=..").locator('[role="option"]')
    expect(listed.first).to_be_visible()
    texts = listed.all_inner_texts()
    page.page.keyboard.press("Escape")
    return texts


@pytest.mark.parametrize("task", WALKS)
def test_a_task_from_its_template_to_its_numbers(
    task: str, open_studio: Callable[..., LabPage], home: Path
):
    walk = WALKS[task]
    page = open_studio("'another cell'")
    from_template(page, walk.title)
    expect(page.field("task")).to_have_value(task)
    node = page.node()
    for (name, column), label in zip((walk.first, walk.second), walk.labels, strict=True):
        field = page.field(name)
        expect(field).to_have_attribute("placeholder", column)
        expect(node.get_by_text(label, exact=True)).to_be_visible()
        first, *others = options(page, field)
        assert first.startswith(f"Choose for me: {column}")
        assert "\n" in first, "with the reason below"
        assert column in others
    assert node.locator('[data-testid^="field-"]').count() == 7

    page.hook("advanced").click()
    for name in walk.inspector:
        expect(page.field(name)).to_be_visible()
    for name in walk.absent:
        expect(page.field(name)).to_have_count(0)
    page.hook("node-panel-close").click()
    page.node("dataset").locator(".em-preview").click()
    marks = page.hook("data-preview").locator("th[data-roles]")
    expect(marks).to_have_count(2)
    page.hook("node-panel-close").click()

    for name, value in FAST.items():
        page.input(name).fill(value)
    page.train()
    page.status("finished")
    expect(node).to_contain_text(walk.summary)
    expect(page.hook("run-stage")).not_to_be_empty()
    (run,) = runs(home)
    assert run.plan is not None
    assert (run.plan["task"], run.epochs) == (task, 1)

    page.hook("tab-analytics").click()
    chart = "chart-perplexity" if task == "generation" else "chart-task"
    for name in (chart, "chart-loss"):
        expect(page.hook(name).locator("svg.bqplot, .bqplot svg").first).to_be_visible()
    assert len(page.table(chart)) >= 2
    expect(page.hook("samples")).to_be_visible()
    shown = page.hook("confusion") if task == "classification" else page.hook("samples")
    expect(shown).not_to_be_empty()


def test_nodes_by_hand_and_a_model_that_cannot_do_the_task(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, QUICK)
    page = open_studio("'another cell'")
    page.hook("project-new").click()
    page.hook("add-three").click()
    page.field("task").select_option("seq2seq")
    problem = page.node().locator('[data-testid="problem"][data-field="task"]')
    expect(problem).to_contain_text("tiny-gpt2 can be trained for generation")
    expect(page.hook("train")).to_be_disabled()

    model = page.node("model").locator('[data-testid="field-source"]')
    assert options(page, model)[0].startswith("tiny-t5"), "what can do the task comes first"
    problem.get_by_role("button", name="Set task to generation").click()
    expect(page.field("task")).to_have_value("generation")
    expect(problem).to_have_count(0)
    expect(page.hook("train")).to_be_enabled()

    page.field("task").select_option("classification")  # which a left-to-right model can do too
    for name, value in FAST.items():
        page.input(name).fill(value)
    page.field("label_field").fill("intent")
    page.field("text_field").fill("target")
    page.train()
    page.status("finished")
    expect(page.node()).to_contain_text("Classification, 1 epoch, batch 8, 60 rows")


def test_roles_that_exclude_each_other_change_in_one_step(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, QUICK)
    page = open_studio("'another cell'")
    expect(page.field("prompt_field")).to_have_attribute("placeholder", "prompt")
    page.hook("advanced").click()
    page.field("template").fill("Intent: {intent}\n")
    expect(page.field("prompt_field")).to_have_attribute("placeholder", "not used")
    page.field("target_field").fill("target")
    page.field("prompt_field").fill("prompt")
    expect(page.field("template")).to_have_value("")
    expect(page.hook("problem")).to_have_count(0)
    page.field("template").fill("Intent:")
    expect(page.hook("problem", data_field="template").first).to_contain_text("names no column")
    page.hook("node-panel-close").click()
    page.hook("undo").click()
    expect(page.hook("problem", data_field="template")).to_have_count(0)

    page.field("task").select_option("classification")
    told = page.hook("problem", data_field="target_field")
    expect(told).to_contain_text(re.compile("has no effect"))
    expect(page.hook("train")).to_be_enabled()  # it is a note
    told.get_by_role("button").click()
    expect(told).to_have_count(0)

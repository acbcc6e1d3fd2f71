"""Branches in the studio: the queue and its order, a sweep and its runs, a chain, old runs."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.lab import LabPage
from harness.projects import LONG, QUICK, prepare, runs, saved
from harness.reach import Reach
from harness.waiting import until
from playwright.sync_api import Locator, Page, expect

from easymodel_nb.store.first import ensure_project
from easymodel_nb.store.projects import ProjectStore
from easymodel_nb.workflow.document import Edge, Node

WHOLE = {
    **QUICK,
    "epochs": 1,
    "max_length": 128,
    "accept": [],
    "subset_size": 48,
    "eval_size": 24,
    "analytics_budget": 0,
}


def branches(home: Path, *fields: dict[str, Any]) -> str:
    """The first project with a finetune node for each of these; `after` names what it continues."""
    store = ProjectStore(home)
    project = ensure_project(store)
    workflow = project.workflow
    first = workflow.nodes[2]
    workflow.nodes, workflow.edges = workflow.nodes[:2], []
    for number, given in enumerate(fields, 1):
        name, data = f"f{number}", dict(given)
        feeding, label = data.pop("after", "m1"), data.pop("label", None)
        place = {"x": 380 * number, "y": 60}
        workflow.nodes.append(
            Node.model_validate(
                {"id": name, "type": "finetune", "position": place, "label": label,
                 "data": first.data | data}
            )
        )  # fmt: skip
        workflow.edges += [
            Edge(id=f"{handle}{name}", source=source, sourceHandle=handle, target=name,
                 targetHandle=handle)
            for source, handle in ((feeding, "model"), ("d1", "dataset"))
        ]  # fmt: skip
    return store.save(project.id, workflow, project.revision).id


def node(page: LabPage, name: str) -> Locator:
    return page.hook("node", data_node_id=name)


def waiting(page: LabPage) -> list[str]:
    """What the queue panel lists as waiting, in its order."""
    rows = page.page.locator('[data-testid="queue-panel"] ol [data-testid="queue-item"]')
    return list(rows.evaluate_all("(rows) => rows.map((row) => row.dataset.runId)"))


def in_order(page: LabPage, *ids: str) -> None:
    until(lambda: waiting(page) == list(ids), f"queue {ids}")


def plain_to_see(page: LabPage, state: str) -> None:
    """In no dress anything is too pale, and nothing is without a name."""
    wrong = Reach(page.page).look(state)
    assert not wrong, "\n".join(wrong)


@pytest.fixture
def dialogs(context: Any) -> Iterator[None]:
    """Nothing here asks a question in a window of its own."""
    asked: list[str] = []

    def refuse(page: Page) -> None:
        page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))

    context.on("page", refuse)
    yield
    assert asked == []


@pytest.mark.usefixtures("dialogs")
def test_runs_wait_in_an_order_that_mouse_and_keys_change(
    open_studio: Callable[..., LabPage], home: Path
):
    chained = {"after": "f2", "label": "Instructions"}
    branches(
        home,
        {**LONG, "label": "First"},
        {**WHOLE, "label": "Pretraining"},
        {**WHOLE, **chained},
        {**WHOLE, "label": "Last"},
    )
    page = open_studio()
    page.hook("train-all").click()
    expect(node(page, "f1")).to_have_attribute("data-status", "running", timeout=180_000)
    first, second, last, third = (run.id for run in runs(home))  # a chain's second comes late
    button = page.hook("queue")
    expect(button).to_have_text("3 in queue")
    expect(node(page, "f3")).to_contain_text("Waits for Pretraining")

    button.click()
    in_order(page, second, last, third)
    panel = page.hook("queue-panel")
    plain_to_see(page, "queue")
    expect(panel.locator(f'[data-run-id="{third}"]')).to_contain_text("waits for Pretraining")
    expect(panel.locator(f'[data-run-id="{first}"]')).to_contain_text("First")
    # By mouse.
    panel.get_by_role("button", name="Move Last up").click()
    in_order(page, last, second, third)
    dragged = panel.locator(f'[data-run-id="{second}"]')
    start, above = dragged.bounding_box(), panel.locator(f'[data-run-id="{last}"]').bounding_box()
    assert start is not None
    assert above is not None
    page.page.mouse.move(start["x"] + 40, start["y"] + 20)
    page.page.mouse.down()
    page.page.mouse.move(above["x"] + 40, above["y"] + 12, steps=6)
    expect(panel.locator("[data-drop]")).to_have_attribute("data-run-id", last)
    page.page.mouse.up()
    in_order(page, second, last, third)
    expect(panel.locator("[data-drop], [data-dragged]")).to_have_count(0)
    panel.get_by_role("button", name="Move Last up").click()
    in_order(page, last, second, third)
    # What continues another one stays behind it.
    panel.get_by_role("button", name="Move Instructions up").click()
    in_order(page, last, second, third)
    # By keyboard.
    panel.locator(f'[data-run-id="{second}"]').focus()
    page.page.keyboard.press("Alt+ArrowUp")
    in_order(page, second, last, third)
    expect(panel.locator(f'[data-run-id="{second}"]')).to_be_focused()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("Delete")
    in_order(page, second, third)
    expect(node(page, "f4")).to_have_attribute("data-status", "stopped")
    # Cancelling the first of a chain cancels the second, which says so.
    panel.get_by_role("button", name="Cancel Pretraining").click()
    in_order(page)
    expect(node(page, "f3")).to_contain_text("continues the model of Pretraining")
    page.page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.hook("stop-all").click()
    expect(node(page, "f1")).to_have_attribute("data-status", "stopped")


@pytest.mark.usefixtures("dialogs")
def test_a_sweep_is_typed_trained_compared_and_laid_out(
    open_studio: Callable[..., LabPage], home: Path
):
    project = prepare(home, {**WHOLE, "learning_rate": 1e-4})
    page = open_studio()
    page.hook("advanced").click()
    rate = page.input("learning_rate")
    rate.fill("1e-5, many")
    expect(page.hook("problem").filter(has_text="cannot be 'many'")).not_to_have_count(0)
    rate.fill("1e-6, 1e-3")
    expect(page.hook("sweep-runs")).to_have_text("2 runs")
    expect(rate).to_have_value("1e-6, 1e-3")
    page.hook("sweep-add").select_option("scheduler")
    page.hook("sweep-scheduler").get_by_label("Constant", exact=True).check()
    expect(page.hook("sweep-runs")).to_have_text("2 x 2 = 4 runs")
    page.hook("sweep-remove-scheduler").click()
    expect(page.hook("sweep-runs")).to_have_text("2 runs")
    until(
        lambda: (
            saved(home, project)["nodes"][2]["data"]["sweep"] == {"learning_rate": [1e-6, 1e-3]}
        ),
        "saved sweep",
    )
    page.hook("node-panel-close").click()

    button = page.hook("train")
    expect(button).to_have_text("Train 2 runs")
    button.click()
    rows = page.hook("variants").locator("li")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_have_attribute("data-status", "finished", timeout=180_000)
    expect(rows.nth(1)).to_have_attribute("data-status", "finished", timeout=180_000)
    expect(rows.nth(0)).to_contain_text("learning_rate 1e-06")
    # At 1e-3 it learns and at 1e-6 it does not: the intervals say so.
    expect(rows.nth(1)).to_contain_text("best")
    expect(rows.nth(0)).not_to_contain_text("best")

    # An old run, with the plan that made it; its settings again as one step.
    page.hook("node").filter(has=page.hook("variants")).locator(".em-fold-button").click()
    page.hook("advanced").click()
    expect(page.hook("run-row")).to_have_count(2)
    # The newest one is open: once its plan has come, what is below it stays in its place.
    expect(page.hook("run-row").nth(0).get_by_test_id("run-plan")).to_contain_text("Steps")
    old = page.hook("run-row").nth(1)
    old.locator(".em-run-open").click()
    plan = old.get_by_test_id("run-plan")
    changed = plan.locator('[data-name="learning_rate"]')
    expect(changed).to_contain_text("now 1e-06, 0.001")
    expect(plan).to_contain_text("Steps")
    before = [run.id for run in runs(home)]
    plan.get_by_test_id("run-restore").click()
    expect(page.input("learning_rate")).to_have_value("0.000001")
    expect(plan).to_contain_text("holds the same settings")
    page.hook("undo").click()
    expect(page.hook("sweep-runs")).to_have_text("2 runs")
    assert [run.id for run in runs(home)] == before

    plain_to_see(page, "runs of a sweep, and an old one's record")
    page.hook("sweep-layout").click()
    expect(page.node()).to_have_count(2)
    expect(page.node().nth(0)).to_contain_text("learning_rate 1e-06")
    expect(page.node().nth(1)).to_contain_text("learning_rate 0.001")
    page.hook("undo").click()
    expect(page.node()).to_have_count(1)

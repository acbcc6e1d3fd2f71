"""The newcomer's path: open, click Train Model, watch, read the charts, and find it all again."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.projects import LONG, QUICK, prepare, runs
from harness.waiting import until
from playwright.sync_api import expect

# Always in the open Finetuning node; the sixth and seventh follow the task.
FIELDS = ["task", "epochs", "batch_size", "max_length", "subset_size"]


@pytest.fixture
def quick(home: Path) -> str:
    return prepare(home, QUICK)


def assert_a_finished_run(page: LabPage) -> None:
    """The node says so, and the Analytics tab has its numbers."""
    page.status("finished")
    page.hook("tab-analytics").click()
    expect(page.hook("em-dashboard")).to_be_visible()
    for chart in ("chart-perplexity", "chart-loss"):
        expect(page.hook(chart).locator("svg.bqplot, .bqplot svg").first).to_be_visible()
    assert len(page.table("chart-perplexity")) >= 1 + 6
    assert len(page.table("chart-loss")) >= 2
    expect(page.hook("samples")).to_be_visible()
    page.hook("tab-canvas").click()
    expect(page.hook("em-canvas")).to_be_visible()


@pytest.mark.usefixtures("quick")
def test_the_first_project_is_ready_to_train(open_studio: Callable[..., LabPage]):
    page = open_studio("'another cell'")
    for kind in ("model", "dataset", "finetune"):
        expect(page.node(kind)).to_have_count(1)
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)
    shown = page.node().locator('[data-testid^="field-"]')
    names = [e.get_attribute("data-testid") for e in shown.element_handles()]
    assert set(names) >= {f"field-{name}" for name in FIELDS}
    assert len(names) == 7
    expect(page.hook("train")).to_be_enabled()


@pytest.mark.usefixtures("quick")
def test_from_a_click_to_charts_and_back_after_everything(
    open_studio: Callable[..., LabPage], home: Path
):
    page = open_studio("'another cell'")
    page.train()
    page.status("queued", "running", "finished")
    page.status("finished")
    assert_a_finished_run(page)
    page.save()

    page.reload()  # the page
    page.ready()
    assert_a_finished_run(page)

    tab = LabPage(page.page.context.new_page(), page.server, page.name).open()  # a second tab
    tab.ready()
    assert_a_finished_run(tab)
    tab.page.close()

    page.server.restart_kernel(page.name)  # the kernel
    page.reload()
    page.run_cell(0)
    page.ready()
    assert_a_finished_run(page)
    expect(page.page.locator(".react-flow__edge")).to_have_count(2)
    assert [run.status for run in runs(home)] == ["finished"]


def test_progress_is_shown_while_it_trains(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, LONG)
    page = open_studio("'another cell'")
    page.train()
    page.status("running")
    expect(page.hook("run-stage")).to_contain_text(re.compile(r"[Ee]poch \d+ of 1,?000"))
    bar = page.hook("run-progress")
    expect(bar).to_have_attribute("aria-valuenow", re.compile(r"\d"))
    page.page.wait_for_function(
        "(e) => { const now = Number(e.ariaValueNow ?? e.getAttribute('aria-valuenow'));"
        " window.emFirst ??= now; return now > window.emFirst; }",
        arg=bar.element_handle(),
    )
    node = page.node()
    for word in ("step", "loss", "tokens"):
        expect(node).to_contain_text(re.compile(word, re.IGNORECASE))

    tab = LabPage(page.page.context.new_page(), page.server, page.name).open()
    page.save()
    tab.reload()
    tab.ready()
    tab.status("running")
    tab.hook("stop").click()  # what one tab stops, the other shows
    tab.status("stopped")
    page.status("stopped")


def test_a_run_whose_kernel_died_shows_as_interrupted(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, LONG)
    page = open_studio("'another cell'")
    page.train()
    page.status("running")
    until(lambda: runs(home)[0].curve, "progress line in the log")
    page.server.restart_kernel(page.name)
    page.reload()
    page.run_cell(0)
    page.ready()
    page.status("interrupted")
    assert [run.status for run in runs(home)] == ["interrupted"]

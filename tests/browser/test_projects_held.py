"""Two notebooks with one project: the second reads, until it takes over; nothing is lost."""

import re
from collections.abc import Callable
from pathlib import Path

from harness.lab import LabPage, launch
from harness.projects import QUICK, prepare, saved
from harness.waiting import until
from playwright.sync_api import expect


def epochs(home: Path, project: str) -> int:
    nodes = saved(home, project)["nodes"]
    return int(next(n["data"]["epochs"] for n in nodes if n["type"] == "finetune"))


def opened(notebook: Callable[..., LabPage], home: Path) -> LabPage:
    page = notebook(launch(home))
    page.run_cell(0)
    page.ready()
    return page


def test_a_second_notebook_reads_and_takes_over(notebook: Callable[..., LabPage], home: Path):
    project = prepare(home, QUICK)
    first = opened(notebook, home)
    expect(first.hook("held")).to_have_count(0)
    second = opened(notebook, home)
    banner = second.hook("held")
    expect(banner).to_contain_text(
        re.compile(rf"open in {re.escape(first.name)} on this machine since \d\d:\d\d")
    )

    # What the first edits is seen in the second, which changes nothing.
    first.input("epochs").fill("11")
    expect(second.input("epochs")).to_have_value("11")
    second.node("model").focus()
    second.page.keyboard.press("Delete")
    expect(second.hook("node")).to_have_count(3)
    expect(second.hook("notice")).to_contain_text("take over to edit here")

    second.hook("take-over").click()
    expect(banner).to_have_count(0)
    expect(first.hook("held")).to_contain_text(second.name)
    second.input("epochs").fill("12")
    until(lambda: epochs(home, project) == 12, "the edit of the one that took over")
    expect(first.input("epochs")).to_have_value("12")

    # The first takes it back while an edit of the second is on its way: it is not lost.
    second.input("batch_size").fill("16")
    first.hook("take-over").click()
    expect(second.hook("held")).to_be_visible()
    expect(first.hook("held")).to_have_count(0)
    first.input("epochs").fill("13")
    until(lambda: epochs(home, project) == 13, "the edit of the first")
    expect(second.input("batch_size")).to_have_value("16")
    second.hook("take-over").click()
    expect(second.hook("held")).to_have_count(0)
    expect(second.input("epochs")).to_have_value("13")
    until(
        lambda: (
            [n["data"]["batch_size"] for n in saved(home, project)["nodes"] if n["id"] == "f1"]
            == [16]
        ),
        "the edit of the second beside that of the first",
    )
    assert epochs(home, project) == 13

    # Whoever leaves it lets the other have it, without a question.
    second.hook("project-new").click()
    expect(first.hook("held")).to_have_count(0)


def test_a_killed_notebook_keeps_nobody_out(notebook: Callable[..., LabPage], home: Path):
    prepare(home, QUICK)
    first, second = opened(notebook, home), opened(notebook, home)
    expect(second.hook("held")).to_be_visible()
    first.do("panel.sessionContext.session.kernel.requestExecute({code: argument});",
             "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")  # fmt: skip
    expect(second.hook("held")).to_have_count(0)
    second.input("epochs").fill("9")
    expect(second.page.locator('[data-saved="true"]').locator("visible=true")).to_be_visible()

"""States of a studio that need a second hand: a kernel that is gone, another notebook."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from easymodel_nb.store.leases import Leases, this_process
from easymodel_nb.store.projects import ProjectStore
from harness.kernel import pid_of, sleep
from harness.lab import LabPage


@contextmanager
def held_elsewhere(page: LabPage, home: Path, project: str) -> Iterator[None]:
    """While this lasts another notebook has the project; here it is read."""
    store = ProjectStore(home)
    other = Leases(store.home, store.lock, this_process("Lesson 3.ipynb"))
    other.take(project, over=True)
    try:
        expect(page.hook("held")).to_be_visible()
        yield
    finally:
        other.release(project)
        expect(page.hook("held")).to_have_count(0)


def lose_kernel(page: LabPage, home: Path, **edits: str) -> None:
    """The kernel falls asleep for good; edits made meanwhile stay in the browser."""
    sleep(pid_of(page, home), home)
    for name, value in edits.items():
        page.input(name).fill(value)
    expect(page.hook("kernel-lost")).to_contain_text("kept in this browser")


def come_back(page: LabPage, home: Path, project: str, **changed: int) -> None:
    """A new kernel, and meanwhile the project was changed by someone else; edits are offered."""
    page.server.restart_kernel(page.name)  # it ends what sleeps by force
    store = ProjectStore(home)
    newer = store.load(project)
    node = next(n for n in newer.workflow.nodes if n.type == "finetune")
    node.data |= changed
    store.save(project, newer.workflow, newer.revision)
    page.run_cell(0)
    page.ready()
    expect(page.hook("draft")).to_be_visible()

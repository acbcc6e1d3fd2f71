"""Commands arrive from every tab and after every reload, whatever became of the other pages.

ipykernel 7.4 sends a comm's messages to the subshell that it last answered there; JupyterLab
deletes a page's subshells when the page goes. Left alone, a reload or a closed tab made every
later command of every tab vanish without a word.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from harness.lab import LabPage
from harness.projects import LONG, prepare, runs
from playwright.sync_api import expect


@pytest.fixture
def training(open_studio: Callable[..., LabPage], home: Path) -> LabPage:
    prepare(home, LONG)
    page = open_studio()
    page.train()
    page.status("running")
    page.save()
    return page


def assert_stops(page: LabPage, home: Path) -> None:
    page.hook("stop").click()
    page.status("stopped")
    assert runs(home)[-1].reason == "user"


def test_a_command_after_a_reload_arrives(training: LabPage, home: Path):
    training.reload()
    training.ready()
    training.status("running")
    assert_stops(training, home)


def test_a_command_from_a_second_tab_arrives(training: LabPage, home: Path):
    tab = LabPage(training.page.context.new_page(), training.server, training.name).open()
    tab.ready()
    tab.status("running")
    assert_stops(tab, home)
    training.status("stopped")


def test_a_command_after_another_tab_was_reloaded_and_closed_arrives(training: LabPage, home: Path):
    tab = LabPage(training.page.context.new_page(), training.server, training.name).open()
    tab.ready()
    tab.status("running")
    tab.reload()
    tab.ready()
    tab.page.close()
    assert_stops(training, home)


def test_a_command_arrives_although_the_page_last_answered_is_gone(
    open_studio: Callable[..., LabPage], home: Path
):
    prepare(home, LONG)
    page = open_studio()
    page.execute("studio._workbench.comm._reply_subshell_id = 'the subshell of a closed page'")
    page.train()
    page.status("running")
    assert_stops(page, home)


def test_a_command_is_answered_while_a_cell_runs(open_studio: Callable[..., LabPage], home: Path):
    prepare(home, LONG)
    page = open_studio("while not stopped.is_set(): stopped.wait(0.1)")
    page.execute("import threading; stopped = threading.Event()")
    page.train()
    page.status("running")
    page.run_cell(1, wait=False)
    try:
        assert_stops(page, home)
        prompt = page.page.locator(".jp-Notebook .jp-Cell").nth(1).locator(".jp-InputPrompt")
        expect(prompt).to_have_text("[*]:")
    finally:
        page.command("notebook:interrupt-kernel")

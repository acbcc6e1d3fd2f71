"""What the pages say that they show, and what is drawn for them."""

from collections.abc import Iterator
from typing import Any

import pytest

from easymodel_nb.widgets.pages import Pages
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio

HandManager = Any  # conftest.py has it; a test gets one as `manager`


@pytest.fixture
def made(session: Session) -> Iterator[Studio]:
    made = Studio(session, script_and_styles=("", ""))
    yield made
    made.close()


def test_nobody_spoke_yet():
    pages = Pages()
    assert pages.watched
    assert not pages.analytics


def test_one_of_many_pages_is_enough():
    pages = Pages()
    pages.say("a", "nothing")
    assert not pages.watched
    pages.say("b", "analytics")
    assert (pages.watched, pages.analytics) == (True, True)
    pages.say("b", "canvas")
    assert (pages.watched, pages.analytics) == (True, False)
    pages.say("", "analytics")
    assert not pages.analytics


def test_pages_that_went_are_forgotten_in_the_end():
    pages = Pages()
    for number in range(40):
        pages.say(f"page {number}", "analytics")
    for number in range(30, 40):
        pages.say(f"page {number}", "canvas")
    assert len(pages._shows) < 20


def test_the_dashboard_of_a_run_that_trains_is_made_for_who_looks(
    made: Studio, manager: HandManager
):
    made.pull({}, "a", "canvas")
    (run,) = made.command("train")["runs"]
    manager.write(run, "run_started", attempt=1, plan={}, environment={})
    made.publish()
    assert not made._dashboard._charts.children
    made.pull({}, "a", "analytics")
    assert made._dashboard._charts.children

"""The bar of the dashboard: which run, and what can be done with it."""

import html
import json
import re
from typing import Any

import pytest

from easymodel_nb.runlog.view import EpochPoint, RunView
from easymodel_nb.widgets import methods
from easymodel_nb.widgets.dashboard.header import Header, actions_html, run_html

POINT = EpochPoint.model_validate({"step": 0, "epoch": 0, "analytics": {}})


def view(number: int = 1, **fields: Any) -> RunView:
    made = {"id": f"r{number}", "created": f"2026-11-22T14:0{number}:00Z", "status": "finished"}
    return RunView.model_validate({**made, "points": [POINT], "model_path": "model", **fields})


def commands(markup: str) -> dict[str, dict[str, Any]]:
    found = re.findall(r'data-em-command="(\w+)" data-em-params="([^"]*)"', markup)
    return {name: json.loads(html.unescape(params)) for name, params in found}


def test_a_finished_run_can_be_compared_reported_zipped_and_pushed() -> None:
    found = commands(actions_html(view(), [view(2)]))
    assert found == {
        "compare_view": {"open": True},
        "report": {"run": "r1"},
        "take": {"run": "r1", "what": "zip"},
        "open_push": {"run": "r1"},
    }
    for name in found.keys() - {"open_push"}:  # that one opens a form of the view
        methods.METHODS[name].params.model_validate(found[name])


def test_an_open_comparison_is_pressed_and_closes() -> None:
    markup = actions_html(view(), [view(2)], comparing=True)
    assert commands(markup)["compare_view"] == {"open": False}
    assert 'aria-pressed="true"' in markup


@pytest.mark.parametrize(
    ("run", "left"),
    [
        (view(status="queued", points=[], model_path=None), set()),
        (view(status="running", model_path=None), {"report"}),
        (view(status="stopped"), {"report", "take"}),
    ],
)
def test_what_cannot_be_done_is_not_there(run: RunView, left: set[str]) -> None:
    assert commands(actions_html(run, [])).keys() == left


def test_every_button_has_a_name_and_keeps_the_notebook_s_keys_off() -> None:
    for button in re.findall(r"<button.*?</button>", actions_html(view(), [view(2)])):
        named = re.search(r'aria-label="[^"]+"', button) or re.search(r"<span>\w+", button)
        assert named, button
        assert 'data-lm-suppress-shortcuts="true"' in button


def test_the_menu_has_the_project_s_runs_newest_first_with_the_shown_one_chosen() -> None:
    markup = run_html(view(2), [view(1), view(3)])
    assert re.findall(r'<option value="(\w+)"( selected)?', markup) == [
        ("r3", ""),
        ("r2", " selected"),
        ("r1", ""),
    ]
    assert 'data-em-command="show_run"' in markup
    assert 'data-em-input="run"' in markup
    methods.METHODS["show_run"].params.model_validate({"run": "r3"})
    assert "Run 2" in run_html(view(2), [view(1)])


def test_one_run_needs_no_menu() -> None:
    markup = run_html(view(), [])
    assert "<select" not in markup
    assert "Run 1" in markup


def test_only_how_far_it_is_changes_from_step_to_step() -> None:
    header = Header()
    running = view(status="running", step=3, max_steps=9, model_path=None)
    header.show(running, [view(2)])
    before = header._run.value, header._actions.value, header._progress.value
    header.show(running.model_copy(update={"step": 4}), [view(2)])
    assert (header._run.value, header._actions.value) == before[:2]
    assert header._progress.value != before[2]

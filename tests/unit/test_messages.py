"""What a run under way sends the browser: messages and bytes are counted, no time is measured."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ipywidgets import HTML, Widget

from easymodel_nb.runlog.log import write_live
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.studio import Studio

HandManager = Any  # conftest.py has it; a test gets one as `manager`
STEPS = 600
MOST_BYTES = 6_000
"""Of one publication: a card with its line of 160 points, and the list of projects."""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Widget, dict[str, Any]]]:
    """Every message that a widget sends, by the widget."""
    sent: list[tuple[Widget, dict[str, Any]]] = []

    def hear(widget: Widget, message: dict[str, Any], *_buffers: Any, **_more: Any) -> None:
        sent.append((widget, message))

    monkeypatch.setattr(Widget, "_send", hear)
    HTML().value = "something"
    if not sent:
        pytest.skip("This ipywidgets sends nothing outside of a kernel.")
    sent.clear()
    return sent


@pytest.fixture
def made(session: Session) -> Iterator[Studio]:
    made = Studio(session, script_and_styles=("", ""))
    yield made
    made.close()


def test_a_step_that_is_shown_is_a_few_small_messages_of_the_workbench_alone(
    made: Studio, manager: HandManager, sent: list[tuple[Widget, dict[str, Any]]]
):
    made.pull({}, "a page", "canvas")
    (run,) = made.command("train")["runs"]
    manager.write(run, "run_started", attempt=1, plan={}, environment={})
    folder = made._session.manager.run(run).folder
    write_live(folder, attempt=1)
    made.publish()
    sizes = []
    for step in range(1, STEPS + 1):
        manager.write(
            run, "progress", step=step, max_steps=STEPS, epoch=0.1, epochs=1, loss=9 / step
        )
        if step % 5:
            continue
        sent.clear()
        made._publisher.publish(moving=True)
        assert {widget for widget, _ in sent} <= {made._workbench}
        assert len(sent) <= 3  # the runs; at a new percent the projects; now and then the beat
        names = {name for _, message in sent for name in message["state"]}
        assert names <= {"runs", "projects", "beat"}
        sizes.append(sum(len(json.dumps(message["state"])) for _, message in sent))
    assert max(sizes) < MOST_BYTES
    assert max(sizes[-20:]) < 1.3 * max(sizes[40:60]), "what is sent grows with the steps"

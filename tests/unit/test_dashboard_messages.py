"""What a run under way costs on the wire: messages are counted, no time is measured."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import HTML, Widget

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import CurvePoint, EpochPoint, RunView, StageView
from easymodel_nb.widgets.dashboard.dashboard import PERIOD, Dashboard

TICK, STEPS, STEPS_A_TICK, EPOCHS = 0.25, 1000, 6.25, 10
PLAN = {"finetune": {"task": "generation"}, "epochs": EPOCHS}


class Wire:
    """Every message that a widget sends, by its kind and the traits in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[tuple[Widget, tuple[str, ...]]] = []
        real = Widget._send

        def send(widget: Widget, message: dict[str, Any], buffers: Any = None) -> None:
            self.sent.append((widget, tuple(sorted(message.get("state", {})))))
            real(widget, message, buffers)

        monkeypatch.setattr(Widget, "_send", send)

    def take(self) -> list[tuple[Widget, tuple[str, ...]]]:
        taken, self.sent = self.sent, []
        return taken


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    wire = Wire(monkeypatch)
    HTML().value = "something"
    if not wire.take():
        pytest.skip("This ipywidgets sends nothing outside of a kernel.")
    return wire


class Training:
    """A dashboard on a run of 1,000 steps, seen four times a second; its clock is a number."""

    def __init__(self, task: str = "generation") -> None:
        self.now = 0.0
        self.dashboard = Dashboard(clock=lambda: self.now)
        self.run = Run(Path("a folder that is not there"))  # it has neither samples nor scores
        plan = {**PLAN, "finetune": {"task": task}}
        self.view = RunView(
            id="r1",
            status="running",
            created="2026-11-22T14:00:00Z",
            plan=plan,
            stage=StageView(stage="training", message="Training, epoch 1 of 10"),
            max_steps=STEPS,
            epochs=EPOCHS,
        )
        self.point(0)
        self.show()

    def point(self, step: int) -> None:
        value = 13 + 200 * 0.5 ** (step / 140)
        m = Measured(value=value, low=value * 0.96, high=value * 1.04, n=100)
        found = EpochPoint(
            step=step, epoch=step / 100, analytics=Analytics(perplexity={"validation": m})
        )
        self.view = self.view.model_copy(update={"points": [*self.view.points, found]})

    def to(self, step: int) -> None:
        """Train up to this step; a progress line every fourth, a point every hundredth."""
        curve = list(self.view.curve)
        for number in range(self.view.step + 1, step + 1):
            if number == 1 or number % 4 == 0:
                curve.append(self._progress(number))
            if number % 100 == 0:
                self.point(number)
        self.view = self.view.model_copy(
            update={
                "curve": curve,
                "step": step,
                "seconds_left": (STEPS - step) / 25,
                "tokens_per_second": 2800.0 + step,
            }
        )

    def _progress(self, step: int) -> CurvePoint:
        return CurvePoint(
            step=step,
            epoch=step / 100,
            loss=3.0 - step / 400 + step % 7 / 10,
            learning_rate=5e-4,
            tokens_per_second=2800.0,
        )

    def show(self) -> None:
        self.dashboard.show(self.run, self.view, [])

    def ticks(self) -> Iterator[int]:
        """Each tick of the publisher, after the dashboard was told."""
        for tick in range(1, int(STEPS / STEPS_A_TICK) + 1):
            self.now += TICK
            self.to(int(tick * STEPS_A_TICK))
            self.show()
            yield tick


def test_a_run_of_1000_steps_sends_few_messages(wire: Wire) -> None:
    training = Training()
    wire.take()
    ticks = sum(1 for _ in training.ticks())
    sent = wire.take()
    renewals, points = ticks * TICK / PERIOD, EPOCHS
    # Head, top, and of the loss panel: head, table, line, label. A point redraws one panel.
    assert len(sent) <= renewals * 6 + points * 16 + 40
    assert len(sent) / ticks <= 2.5


def test_between_two_renewals_nothing_is_sent(wire: Wire) -> None:
    training = Training()
    training.to(4)
    training.now += PERIOD
    training.show()
    wire.take()
    for step in range(5, 12):
        training.now += TICK
        training.to(step)
        training.show()
    assert wire.take() == []
    training.now += TICK
    training.show()
    assert wire.take()


def test_new_steps_send_one_message_a_part_and_no_panel_without_news(wire: Wire) -> None:
    training = Training()
    training.to(40)
    training.now += PERIOD
    training.show()
    wire.take()
    training.to(48)
    training.now += PERIOD
    training.show()
    sent = wire.take()
    assert max(Counter(id(widget) for widget, _ in sent).values()) == 1
    kinds = Counter(type(widget).__name__ for widget, _ in sent)
    assert kinds == {"HTML": 4, "Lines": 1, "Label": 1}, "no axis, no scale, no other panel"
    panel = training.dashboard._panels["chart-perplexity"]
    ours = {id(w) for w in (panel._head, panel._table)}
    assert not ours & {id(widget) for widget, _ in sent}


@pytest.mark.parametrize("news", ["point", "stage", "end"])
def test_news_is_shown_at_once(wire: Wire, news: str) -> None:
    training = Training()
    training.to(40)
    training.now += PERIOD
    training.show()
    wire.take()
    if news == "point":
        training.point(50)
    elif news == "stage":
        stage = StageView(stage="saving", message="Saving the model")
        training.view = training.view.model_copy(update={"stage": stage})
    else:
        training.view = training.view.model_copy(update={"status": "finished"})
    training.show()
    assert wire.take()
    training.show()
    assert wire.take() == []


def test_the_order_of_the_panels_is_sent_only_with_another_task(wire: Wire) -> None:
    training = Training("classification")
    moved = [w for w, names in wire.take() if "children" in names]
    assert moved
    training.to(8)
    training.now += PERIOD
    training.show()
    charts = training.dashboard._charts
    assert not [w for w, names in wire.take() if w is charts and "children" in names]

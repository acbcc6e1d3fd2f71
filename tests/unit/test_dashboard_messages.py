"""What a run under way costs on the wire: messages are counted, no time is measured."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ipywidgets import HTML, Widget

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import CurvePoint, EpochPoint, RunView, StageView
from easymodel_nb.widgets.cell import close_all
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


def around(value: float, n: int = 64) -> Measured:
    return Measured(value=value, low=value * 0.96, high=value * 1.04, n=n)


def answers(epoch: float) -> dict[str, Any]:
    """What is measured on answers at a point, of every panel that there is."""
    axis = around(0.4 + epoch / 40)
    group = {"n": 16, "base": around(0.9), "tuned": around(1 + epoch / 9), "ratio": around(1.2)}
    return {
        "quality": {
            **dict.fromkeys(("fluency", "coherence", "grammar", "relevance"), axis),
            "overall": around(40 + epoch),
        },
        "semantics": {
            "consistency": axis,
            "drift": around(epoch / 20),
            "step": around(0.1),
            "segments": [around(0.5 - part / 20 + epoch / 50) for part in range(4)],
            "mmd": around(0.01),
            "forgetting": around(31 + epoch),
        },
        "efficiency": {
            "token_efficiency": around(1 + epoch / 20),
            "length_ratio": around(1.5),
            "bytes_per_token": around(4.4),
            "compression": Measured.missing("There is no source."),
            "points": [(10 + i, 30 + int(epoch) + i) for i in range(64)],
            "groups": [{"name": name, **group} for name in ("short", "middle", "long")],
        },
    }


class Training:
    """A dashboard on a run of 1,000 steps, seen four times a second; its clock is a number."""

    def __init__(self, task: str = "generation", *, answering: bool = False) -> None:
        self.now = 0.0
        self.answering = answering
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
        measured = {"perplexity": {"validation": around(value, 100)}}
        more = answers(step / 100) if self.answering else {}
        analytics = Analytics.model_validate({**measured, **more})
        found = EpochPoint(step=step, epoch=step / 100, analytics=analytics)
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
    # How far, top, and of the panels by step: heads, numbers, lines, a label. A point redraws
    # what is by epoch.
    assert len(sent) <= renewals * 10 + points * 16 + 40
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
    # Loss with its label, learning rate, speed; how far, top, and two heads with their numbers.
    assert kinds == {"HTML": 6, "Lines": 3, "Label": 1}, "no axis, no scale, no other panel"
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


# ---------------------------------------------------------------- with every panel


class Made:
    """Every widget that is made from now on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.widgets: list[Widget] = []
        real = Widget.open

        def opened(widget: Widget) -> None:
            self.widgets.append(widget)
            real(widget)

        monkeypatch.setattr(Widget, "open", opened)


def charts(training: Training) -> list[Any]:
    """Every figure that was made."""
    panels = training.dashboard._panels.values()
    return [c.figure for p in panels for slot in p._slots for c in slot._charts.values()]


def test_a_run_with_every_panel_makes_no_widget_after_its_first_points(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(answering=True)
    training.to(100)
    training.show()
    kinds = {type(chart.marks[-1]).__name__ for chart in charts(training)}
    assert len(charts(training)) >= 8, f"radar, bars, scatter and lines: {kinds}"
    before = charts(training)
    marks = [mark for figure in before for mark in figure.marks]
    made = Made(monkeypatch)
    wire.take()
    for step in range(104, 301, 4):
        training.now += PERIOD
        training.to(step)
        training.show()
    assert made.widgets == [], "the browser keeps its views"
    assert charts(training) == before
    assert [mark for figure in before for mark in figure.marks] == marks
    sent = [names for widget, names in wire.take() if type(widget).__name__ == "Figure"]
    assert all("marks" not in names and "axes" not in names for names in sent)


def test_a_first_look_at_a_run_with_every_panel_is_far_from_what_a_kernel_keeps(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = Training(answering=True)
    training.to(STEPS)
    training.view = training.view.model_copy(update={"status": "finished"})
    training.dashboard = Dashboard()
    wire.take()
    made = Made(monkeypatch)
    training.show()
    # They leave at once. Of a reader that is 1,000 messages behind, ZeroMQ drops what comes next.
    assert len(made.widgets) + len(wire.take()) <= 850


def test_steps_between_points_leave_the_panels_of_answers_alone(wire: Wire) -> None:
    training = Training(answering=True)
    training.to(100)
    training.show()
    wire.take()
    training.now += PERIOD
    training.to(108)
    training.show()
    still = ("chart-quality", "chart-semantics", "chart-efficiency", "chart-compression")
    panels = [training.dashboard._panels[name] for name in still]
    ours = {id(slot._legend) for panel in panels for slot in panel._slots}
    for panel in panels:
        ours |= {id(w) for w in (panel._head, panel._how, panel._table, panel._numbers)}
        for slot in panel._slots:
            for chart in slot._charts.values():
                ours |= {id(chart.figure), *map(id, chart.figure.marks)}
    assert len(ours) > 40
    assert not ours & {id(widget) for widget, _ in wire.take()}


def test_a_point_of_every_panel_costs_a_bounded_number_of_messages(wire: Wire) -> None:
    training = Training(answering=True)
    training.to(200)
    training.show()
    wire.take()
    training.point(250)
    training.show()
    sent = wire.take()
    assert max(Counter(id(widget) for widget, _ in sent).values()) <= 2, "texts, then ticks"
    assert len(sent) <= 100


def test_ten_thousand_steps_travel_as_at_most_500_points(wire: Wire) -> None:
    training = Training()
    curve = [training._progress(step) for step in range(1, 10_001)]
    training.view = training.view.model_copy(update={"curve": curve, "step": 10_000})
    training.now += PERIOD
    training.show()
    wire.take()
    drawn = [mark for figure in charts(training) for mark in figure.marks]
    assert max(np.size(mark.x) for mark in drawn) > 100
    assert max(np.size(mark.x) for mark in drawn) <= 500


def test_closing_frees_every_widget(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(monkeypatch)
    training = Training(answering=True)
    training.to(300)
    training.show()
    assert len(made.widgets) > 300
    close_all(training.dashboard.box)
    left = [widget for widget in made.widgets if widget.comm is not None]
    assert Counter(type(widget).__name__ for widget in left) == {}

"""Runs compared: curves, settings, and what the texts they share allow to say."""

import math
import random
from dataclasses import replace
from typing import Any

import pytest

from easymodel_nb.measured import Measured
from easymodel_nb.report.compare import Choice, chosen_runs, compare_content, compare_form
from easymodel_nb.report.compare_curves import curves, default_metric, metric_name
from easymodel_nb.report.compare_pairs import best_of, compare, compare_answers
from easymodel_nb.report.compare_view import CompareView
from easymodel_nb.report.compared import ComparedRun, differing
from easymodel_nb.report.figures import Empty, LineFigure
from easymodel_nb.runlog.analytics import Analytics
from easymodel_nb.runlog.clock import Tick, minutes_at, ticks_of
from easymodel_nb.runlog.events import parse
from easymodel_nb.runlog.scores import Scores
from easymodel_nb.runlog.view import CurvePoint, EpochPoint, RunView

DRAW = random.Random(7)
TOKENS = [float(DRAW.randint(5, 40)) for _ in range(60)]
HARD = [DRAW.gauss(3.0, 1.0) for _ in TOKENS]  # nats a token of each text for the reference


def language(offset: float, noise: float = 0.05, seed: int = 1) -> dict[str, list[float]]:
    """NLL of each text: as hard as it is, plus an offset a token."""
    draw = random.Random(seed)
    nll = [
        (max(0.1, hard) + offset + draw.gauss(0, noise)) * n
        for hard, n in zip(HARD, TOKENS, strict=True)
    ]
    return {"nll": nll, "tokens": TOKENS, "bytes": [4 * n for n in TOKENS]}


def run(
    number: int,
    values: dict[str, Any] | None,
    *,
    task: str = "generation",
    digest: str = "d",
    model: str = "gpt2",
    prompts: dict[str, Any] | None = None,
    **finetune: Any,
) -> ComparedRun:
    plan = {
        "finetune": {"task": task, "learning_rate": 1e-4, **finetune},
        "model": {"source": model, "name": model},
        "dataset": {"source": "requests", "train_rows": 900},
    }
    points = [
        EpochPoint(
            step=epoch * 10,
            epoch=epoch,
            analytics=Analytics(
                perplexity={"validation": Measured(value=30.0 / (epoch + 1), low=1, high=40, n=60)}
                if task == "generation"
                else {},
                task={"bits_per_byte": Measured(value=2.0 - epoch / 10, n=60)},
            ),
        )
        for epoch in (0, 1, 2)
    ]
    view = RunView(
        id=f"run-{number}",
        status="finished",
        plan=plan,
        points=points,
        curve=[CurvePoint(step=s, epoch=s / 10, loss=5 - s / 10) for s in range(1, 21)],
        summary={"tokens": 4000, "steps": 20},
    )
    scores = [] if values is None else [Scores(20, 2, "validation", digest, values)]
    if prompts is not None:
        scores.append(Scores(20, 2, "prompts", digest, prompts))
    ticks = [Tick(0, 0.0), Tick(10, 1.0), Tick(20, 3.0)]
    return ComparedRun(view, number, f"Run {number}", scores, ticks)


# ---------------------------------------------------------------- pairs


def test_a_shift_that_is_smaller_than_the_texts_differ_is_found_because_it_is_paired():
    reference, better = run(1, language(0.0)), run(2, language(-0.1, seed=2))
    pair = compare(better, reference)
    assert pair.better is True
    assert pair.change.value == pytest.approx(100 * math.expm1(-0.1), abs=3)
    assert pair.wins > pair.losses
    assert pair.wins + pair.ties + pair.losses == pair.change.n == len(TOKENS)
    back = compare(reference, better)
    assert back.better is False
    assert (back.wins, back.losses) == (pair.losses, pair.wins)


def test_the_same_run_twice_is_no_difference():
    pair = compare(run(1, language(0.0)), run(2, language(0.0)))
    assert (pair.wins, pair.ties, pair.losses) == (0, len(TOKENS), 0)
    assert pair.change.value == 0
    assert pair.better is None


def test_noise_alone_makes_no_run_best():
    runs = [run(number, language(0.0, noise=0.3, seed=number)) for number in (1, 2, 3)]
    marked = best_of(runs, runs[0])
    assert marked is None


def test_best_is_marked_only_when_it_beats_every_other():
    first, second, third = (
        run(1, language(0.0)),
        run(2, language(-0.2, seed=2)),
        run(3, language(-0.2, seed=3)),
    )
    assert best_of([first, second], first) is second
    assert best_of([first, second, third], first) is None  # two alike
    assert best_of([first, second], second) is second  # also as the reference


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (run(2, language(0.0), digest="other"), "other texts"),
        (run(2, None), "not there"),
        (run(2, {"correct": [1.0]}, task="classification"), "trained for classification"),
        (run(2, {**language(0.0), "tokens": [n + 1 for n in TOKENS], "bytes": []}), "tokens"),
    ],
)
def test_what_cannot_be_compared_says_why(other: ComparedRun, why: str):
    pair = compare(other, run(1, language(0.0)))
    assert pair.change.value is None
    assert why in (pair.change.reason or "")
    assert pair.better is None


def test_other_tokenizers_compare_by_bits_per_byte():
    values = language(-0.2, seed=2)
    values["tokens"] = [n + 3 for n in TOKENS]
    pair = compare(run(2, values), run(1, language(0.0)))
    assert pair.name == "bits per byte"
    assert pair.better is True
    assert pair.change.value == pytest.approx(-0.2 / math.log(2) / 4, abs=0.02)


def test_labels_compare_by_which_texts_are_right():
    before = [1.0] * 30 + [0.0] * 30
    after = [1.0] * 55 + [0.0] * 5
    pair = compare(
        run(2, {"correct": after, "loss": [0.1] * 60}, task="classification"),
        run(1, {"correct": before, "loss": [0.1] * 60}, task="classification"),
    )
    assert (pair.wins, pair.ties, pair.losses) == (25, 35, 0)
    assert pair.change.value == pytest.approx(25 / 60)
    assert pair.better is True


def test_entities_compare_by_f1_of_all_texts():
    def counts(found: float) -> dict[str, list[float]]:
        missed = [2 - found] * 40
        return {
            "tokens": [6.0] * 40,
            "correct": [5.0] * 40,
            "true_positives": [found] * 40,
            "false_positives": [0.0] * 40,
            "false_negatives": missed,
        }

    mine, theirs = (run(n, counts(f), task="token_classification") for n, f in ((2, 2.0), (1, 1.0)))
    pair = compare(mine, theirs)
    assert pair.name == "entity F1"
    assert pair.change.value == pytest.approx(1 - 2 / 3)
    assert pair.wins == 40


def test_answers_compare_by_gqs_and_a_missing_score_does_not_count():
    mine = {"overall": [60.0, 70.0, None, 50.0] * 5}
    theirs = {"overall": [50.0, 60.0, 40.0, 50.0] * 5}
    pair = compare_answers(run(2, None, prompts=mine), run(1, None, prompts=theirs))
    assert pair is not None
    assert (pair.wins, pair.ties, pair.losses, pair.change.n) == (10, 5, 0, 15)
    few = [{"overall": side["overall"][:15]} for side in (mine, theirs)]
    pair = compare_answers(
        *(run(n, None, prompts=some) for n, some in zip((2, 1), few, strict=True))
    )
    assert pair is not None
    assert "too few" in (pair.change.reason or "")
    assert compare_answers(run(2, None), run(1, None, prompts=theirs)) is None


def test_scores_of_other_judges_do_not_compare():
    def judged(number: int, judge: str) -> ComparedRun:
        made = run(number, None, prompts={"overall": [50.0 + number, 60.0]})
        told = Analytics.model_validate({"details": {"judges": {"grammar": judge}}})
        points = [EpochPoint(step=0, epoch=0, analytics=told), *made.view.points[1:]]
        return replace(made, view=made.view.model_copy(update={"points": points}))

    pair = compare_answers(judged(2, "cola@2"), judged(1, "probe@1"))
    assert pair is not None
    assert pair.change.value is None
    assert "other judges" in (pair.change.reason or "")


# ---------------------------------------------------------------- settings and curves


def test_only_the_settings_that_differ():
    found = differing([run(1, None), run(2, None, learning_rate=5e-4), run(3, None, seed=3)])
    assert set(found) == {"learning rate", "seed"}
    assert found["learning rate"] == [1e-4, 5e-4, 1e-4]
    assert found["seed"] == [None, None, 3]


@pytest.mark.parametrize(
    ("along", "xs"),
    [
        ("epoch", [0, 1, 2]),
        ("step", [0, 10, 20]),
        ("tokens", [0, 2000, 4000]),
        ("minutes", [0, 1, 3]),
    ],
)
def test_curves_lie_on_any_axis(along: Any, xs: list[float]):
    one = run(1, None)
    figure = curves([one], one, "perplexity.validation", along).figure
    assert isinstance(figure, LineFigure)
    assert list(figure.lines["run-1"].x) == pytest.approx(xs)
    assert list(figure.lines["run-1"].y) == [30, 15, 10]
    assert figure.x.high >= xs[-1]


def test_runs_of_another_task_are_not_among_the_curves():
    one, labels = run(1, None), run(2, None, task="classification")
    found = curves([one, labels], one, "loss", "epoch")
    assert isinstance(found.figure, LineFigure)
    assert list(found.figure.lines) == ["run-1"]
    assert found.missing == [
        "Not among the curves, because of another task than Run 1: Run 2 (classification)."
    ]
    nothing = curves([labels], labels, "perplexity.validation", "epoch")
    assert isinstance(nothing.figure, Empty)
    assert metric_name("task.accuracy", "classification") == "accuracy"
    assert metric_name("task.accuracy", "word_tags") == "word accuracy"


def test_models_with_other_tokenizers_are_drawn_in_bits_per_byte():
    one, other = run(1, None), run(2, None, model="opt")
    assert default_metric([one, run(2, None)], one) == "perplexity.validation"
    assert default_metric([one, other], one) == "task.bits_per_byte"
    told = compare_content([one, other], CompareView(metric="perplexity.validation"), "run-1")
    assert "do not compare" in told.caption


def test_the_content_says_only_what_the_intervals_carry():
    runs = [run(1, language(0.0)), run(2, language(-0.2, seed=2))]
    clear = compare_content(runs, CompareView(), "run-1")
    assert clear.title == "Run 2 is better than Run 1 by validation perplexity"
    assert "best" in clear.table
    assert "15.0" in clear.details  # the numbers of the curves, for those who do not see them
    assert clear.data is not None
    assert clear.data.rows[0][0] == "run-2"
    same = compare_content([runs[0], run(2, language(0.0))], CompareView(), "run-1")
    assert "None of 2" in same.title
    assert "emnb-best" not in same.table
    apart = compare_content([runs[0], run(2, language(0.0), digest="x")], CompareView(), "run-1")
    assert apart.title == "No other run can be compared with Run 1 text by text"
    assert "other texts" in apart.table


def test_eight_runs_of_several_tasks_do_not_fail():
    runs = [run(n, language(-0.01 * n, seed=n), seed=n) for n in range(1, 7)]
    runs += [run(7, None, task="classification"), run(8, language(0.0), digest="x")]
    told = compare_content(runs, CompareView(), "run-1")
    assert isinstance(told.figure, LineFigure)
    assert len(told.figure.lines) == 7
    assert told.table.count("<tr") > 8


def test_which_runs_are_compared():
    views = [item.view for item in (run(n, None) for n in range(1, 7))]
    assert chosen_runs(CompareView(), views, "run-1") == (
        ["run-1", "run-4", "run-5", "run-6"],
        "run-1",
    )
    told = CompareView(runs=("run-3", "gone", "run-2"), reference="run-3")
    assert chosen_runs(told, views, "run-1") == (["run-2", "run-3"], "run-3")
    assert chosen_runs(CompareView(runs=()), views, "run-1") == ([], None)


def test_the_form_offers_every_run_and_ticks_the_chosen_ones():
    choices = [Choice(f"run-{n}", f"Run <{n}>", measured=n < 3) for n in (1, 2, 3)]
    runs = [run(1, None), run(2, None)]
    html = compare_form(choices, CompareView(), runs, "run-1")
    assert html.count('data-em-input="runs[]"') == 3
    assert html.count("checked") == 2
    assert "Run &lt;1&gt;" in html
    assert "nothing measured yet" in html


# ---------------------------------------------------------------- time


def event(seconds: int, type_: str, **fields: Any) -> Any:
    base = {
        "seq": 0,
        "run_id": "r",
        "time": f"2026-01-01T00:{seconds // 60:02d}:{seconds % 60:02d}Z",
    }
    return parse({**base, "type": type_, **fields})


def progress(seconds: int, step: int) -> Any:
    return event(seconds, "progress", step=step, max_steps=9, epoch=0.1, epochs=1.0)


def test_minutes_leave_out_pauses_and_what_was_trained_in_vain():
    started = {"plan": {}, "environment": {}}
    found = ticks_of(
        [
            event(0, "run_started", attempt=1, **started),
            event(30, "stage", stage="training", message=""),
            progress(90, 2),
            progress(150, 4),
            event(2000, "run_started", attempt=2, **started),
            event(2001, "run_resumed", attempt=2, step=2),
            event(2040, "stage", stage="training", message=""),
            progress(2100, 4),
        ]
    )
    assert found == [Tick(0, 0.0), Tick(2, 1.0), Tick(4, 2.0)]
    assert minutes_at(found, 3) == 1.5
    assert minutes_at(found, 9) is None
    assert minutes_at([], 0) is None

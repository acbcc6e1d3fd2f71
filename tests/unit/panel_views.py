"""Runs as views, without a file: every task, and what can be missing of each."""

from collections.abc import Sequence
from typing import Any

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.analytics import (
    Analytics,
    EfficiencyGroup,
    EfficiencyPoint,
    QualityPoint,
    SemanticsPoint,
)
from easymodel_nb.runlog.view import CurvePoint, EpochPoint, RunView, StageView

JUDGE = "minilm@0123456789ab"
ABSENT = 'The text encoder (MiniLM, 91 MB) is not on this machine. Install it: pip install "x"'
AXES = ("fluency", "coherence", "grammar", "relevance")
DETAILS = {
    "judges": {"relevance": JUDGE, "grammar": "probe@ba9876543210", "note": "no scorer"},
    "references": {
        "overall": {"value": 79.0, "low": 77.0, "high": 81.0, "n": 64},
        **{axis: {"value": 0.8, "low": 0.7, "high": 0.9, "n": 64} for axis in AXES},
    },
    "noise": {"drift": {"value": 0.06, "low": 0.05, "high": 0.07, "n": 32}},
    "groups": "category",
    "budget": {"prompts": 64, "epochs": [1, 2, 3], "sentence": "64 prompts.", "reason": None},
}


def m(value: float, by: float = 0.02, n: int = 64, **more: Any) -> Measured:
    return Measured(value=value, low=value - by, high=value + by, n=n, **more)


def null(reason: str = "There are too few.", n: int | None = None) -> Measured:
    return Measured.missing(reason, n=n)


def quality(score: float, n: int = 64, **numbers: Measured) -> QualityPoint:
    """Every number as the score says, or as given."""
    level = m(score / 100, n=n, judge=JUDGE)
    return QualityPoint(**{"overall": m(score, 2.0, n=n), **dict.fromkeys(AXES, level), **numbers})


def semantics(
    consistency: float = 0.6, drift: float = 0.4, segments: Sequence[float] = (0.6, 0.5, 0.5, 0.4)
) -> SemanticsPoint:
    numbers = {
        "consistency": m(consistency),
        "drift": m(drift),
        "step": m(drift / 2),
        "segments": [m(v) for v in segments],
        "mmd": m(0.03, 0.01),
        "p_value": 0.002,
        "arrow": m(0.1, 0.05),
        "forgetting": m(30 + 10 * drift, 2.0, n=40),
    }
    return SemanticsPoint.model_validate(numbers)


def group(name: str, base: float, tuned: float, ratio: Measured, n: int = 12) -> EfficiencyGroup:
    return EfficiencyGroup(
        name=name, n=n, base=m(base, 0.1, n), tuned=m(tuned, 0.1, n), ratio=ratio
    )


GROUPS = [
    group("closed QA", 0.9, 2.3, m(2.6, 0.4)),
    group("summarise", 1.0, 1.9, m(1.9, 0.3)),
    group("classify", 1.1, 1.2, m(1.09, 0.2)),
]


def efficiency(
    points: Sequence[tuple[int, int]] = ((10, 12), (40, 38), (90, 100), (20, 192)),
    groups: Sequence[EfficiencyGroup] = (),
    token_efficiency: Measured | None = None,
) -> EfficiencyPoint:
    return EfficiencyPoint(
        token_efficiency=token_efficiency or m(1.8, 0.3),
        length_ratio=m(1.02, 0.1),
        bytes_per_token=m(4.1, 0.1),
        compression=null("There is no source."),
        points=list(points),
        groups=list(groups),
    )


def point(epoch: float, **groups: Any) -> EpochPoint:
    """A measured point; `details`, `changes`, `perplexity`, `task` and the groups as named."""
    return EpochPoint(step=round(epoch * 10), epoch=epoch, analytics=Analytics(**groups))


def generation(
    done: int = 3, *, clear: bool = True, n: int = 64, status: str = "finished", **more: Any
) -> RunView:
    """A run that writes text; `clear`: whether its paired intervals leave out no change."""
    points = []
    for epoch in range(done + 1):
        gain = min(epoch, 6) * (5.0 if clear else 0.1)
        width = 2.0
        points.append(
            point(
                epoch,
                perplexity={
                    "validation": m(60 - 10 * min(epoch, 3) * clear, 2.0, 100),
                    "train": m(50 - 12 * min(epoch, 3) * clear, 2.0, 100),
                },
                task={"bits_per_byte": m(2 - min(epoch, 3) / 10), "loss": m(3.0)},
                quality=quality(40 + gain, n),
                semantics=semantics(0.4 + gain / 100, 0.1 * min(epoch, 5)),
                efficiency=efficiency(
                    groups=GROUPS if epoch else (),
                    token_efficiency=m(1.8, 0.3) if clear and epoch else m(1.0, 0.1),
                ),
                changes={}
                if not epoch
                else {
                    "perplexity.validation": m(
                        -16.0 * min(epoch, 3) if clear else -0.5, width, unit="%"
                    ),
                    "quality.overall": m(gain, width, unit="points"),
                    **{f"quality.{axis}": m(gain / 100, width / 100) for axis in AXES},
                    "semantics.consistency": m(gain / 100, width / 100),
                    "semantics.forgetting": m(0.5, width, unit="%"),
                },
                details={
                    "counts": {"answers": 4, "limit": 1, "empty": 0},
                    **(DETAILS if not epoch else {}),
                },
            )
        )
    return run("generation", points, **{"status": status, "epochs": done, **more})


def labels(task: str = "classification", epochs: int = 3, **more: Any) -> RunView:
    """A run that labels texts or words."""
    none = null("Perplexity is not defined for labels.", n=100)
    points = []
    for epoch in range(epochs + 1):
        value = 0.5 + 0.1 * epoch
        word = task == "token_classification"
        scores = ("f1", "precision", "recall") if word else ("macro_f1", "accuracy", "mcc")
        numbers = {name: m(value) if epoch else null("The head is new.", 100) for name in scores}
        numbers["loss"] = Measured(value=1 / value, n=100) if epoch else null("The head is new.")
        tables: dict[str, Any] = {}
        if epoch:
            tables = {
                "labels": ["cat", "dog"],
                "confusion": [[9, 1], [3, 7]],
                "per_class": [
                    {"label": "cat", "precision": 0.9, "recall": 0.8, "f1": 0.85, "support": 10},
                    {"label": "dog", "precision": 0.7, "recall": 0.7, "f1": 0.7, "support": 10},
                ],
                "groups": "source",
                "by_group": [
                    {"name": "web", "n": 10, "accuracy": m(value, 0.2, 10).model_dump()},
                    {"name": "news", "n": 10, "accuracy": m(value - 0.1, 0.2, 10).model_dump()},
                ],
                "predictions": {
                    "since": "previous",
                    "changed": m(0.5 / epoch).model_dump(),
                    "js": m(0.2 / epoch).model_dump(),
                },
                "calibration": {
                    "ece": m(0.08, 0.01).model_dump(),
                    "overconfidence": m(0.15, 0.04).model_dump(),
                    "bins": [
                        {"confidence": 0.55, "accuracy": 0.5, "n": 4},
                        {"confidence": 0.95, "accuracy": m(0.8, 0.05).model_dump(), "n": 16},
                    ],
                },
            }
        points.append(point(epoch, perplexity={"validation": none}, task=numbers, details=tables))
    return run(task, points, epochs=epochs, **more)


def run(task: str, points: Sequence[EpochPoint], *, epochs: int = 3, **more: Any) -> RunView:
    """A view with a curve of ten steps an epoch."""
    steps = range(1, 10 * epochs + 1)
    curve = [
        CurvePoint(
            step=step,
            epoch=step / 10,
            loss=4 - step / 100,
            learning_rate=5e-4 * (1 - step / (10 * epochs + 1)),
            grad_norm=1.0 + (step == 7) * 30,
            tokens_per_second=900.0 + step,
            memory_bytes=600_000_000 + step,
        )
        for step in steps
    ]
    plan = {
        "epochs": epochs,
        "max_steps": 10 * epochs,
        "max_new_tokens": 192,
        "finetune": {"task": task, "analytics_budget": 0.1},
    }
    given: dict[str, Any] = {
        "id": "r1",
        "status": "finished",
        "plan": plan,
        "epochs": float(epochs),
        "max_steps": 10 * epochs,
        "step": 10 * epochs,
        "curve": curve,
        "points": list(points),
        "samples": [{"step": 0, "epoch": 0, "rows": 4}],
    }
    return RunView(**{**given, **more})


def waiting(task: str = "generation", **more: Any) -> RunView:
    """A run that trains and has measured nothing yet."""
    stage = StageView(stage="training", message="Training")
    given = {"status": "running", "stage": stage, "curve": [], "step": 0, "seconds_left": 120.0}
    return run(task, [], **{**given, "samples": [], **more})

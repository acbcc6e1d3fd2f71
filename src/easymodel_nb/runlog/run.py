"""`Run`: what Python code gets of a run."""

import json
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easymodel_nb.errors import problem_error
from easymodel_nb.measured import Measured
from easymodel_nb.runlog import adapters, scores
from easymodel_nb.runlog.lines import json_lines
from easymodel_nb.runlog.log import RunReader
from easymodel_nb.runlog.view import EpochPoint, RunView, Status
from easymodel_nb.trust import loading, permits

if TYPE_CHECKING:
    import pandas as pd


_SAMPLE_KEYS = frozenset({"index", "epoch", "step", "prompt", "reference", "text"})


class Run:
    """One run on disk, read anew at each question."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __repr__(self) -> str:
        return f"<Run {self.id}: {self.status}>"

    @cached_property
    def _reader(self) -> RunReader:
        return RunReader(self._folder)

    @property
    def id(self) -> str:
        """The run's id, which sorts by time."""
        return self._folder.name

    @property
    def folder(self) -> Path:
        """Where the run's files lie."""
        return self._folder

    @property
    def view(self) -> RunView:
        """The whole state of the run as it is now."""
        return self._reader.view()

    @property
    def status(self) -> Status:
        """queued, running, finished, stopped, failed or interrupted."""
        return self.view.status

    @property
    def plan(self) -> dict[str, Any] | None:
        """The frozen plan with the reason of every choice; None before it is made."""
        try:
            plan: dict[str, Any] = json.loads((self._folder / "plan.json").read_text("utf-8"))
        except FileNotFoundError:
            return None
        return plan

    @property
    def model_path(self) -> Path | None:
        """The folder of the trained model, loadable with `from_pretrained`; None without one."""
        path = self.view.model_path
        return self._folder / path if path else None

    def metrics(self) -> "pd.DataFrame":
        """One row per whole epoch; epoch 0 is before training.

        Columns: epoch (a whole number), step, then dotted analytics names, each with `.low`,
        `.high`, `.n`.
        """
        import pandas as pd  # noqa: PLC0415

        # A copy is in one piece: without it pandas warns whoever adds a column to many.
        return pd.DataFrame(self.metric_rows()).copy()

    def metric_rows(self) -> list[dict[str, Any]]:
        """The rows of `metrics` as dictionaries."""
        whole = (p for p in self.view.points if float(p.epoch).is_integer())
        return [{**_row(point), "epoch": int(point.epoch)} for point in whole]

    def curve(self) -> "pd.DataFrame":
        """Every measured point, also between epochs, with the same columns as `metrics`."""
        return _frame(self.view.points)

    def samples(self) -> "pd.DataFrame":
        """Columns prompt, reference, base, tuned; the tuned text of the last sampled epoch."""
        import pandas as pd  # noqa: PLC0415

        columns = ["prompt", "reference", "base", "tuned"]
        return pd.DataFrame(self.sample_rows(), columns=columns)

    def sample_rows(self) -> list[dict[str, Any]]:
        """The rows of `samples` as dictionaries; `tuned` is None while there is none.

        `base_more` and `tuned_more` hold what else was written of an answer, such as the
        confidence of a label.
        """
        rows: dict[int, dict[str, Any]] = {}
        found = self._sample_lines()
        kept = self.view.summary.get("kept_step")  # of early stopping: the model's own answers
        if kept is not None and any(row.get("step") == kept for row in found):
            found = [row for row in found if row.get("step") in {0, kept}]
        for row in found:
            entry = rows.setdefault(
                row["index"], {"prompt": row["prompt"], "reference": row["reference"]}
            )
            side = "base" if row["epoch"] == 0 else "tuned"
            entry[side] = row["text"]
            entry[f"{side}_more"] = {k: v for k, v in row.items() if k not in _SAMPLE_KEYS}
        return [{"base": None, "tuned": None, **rows[index]} for index in sorted(rows)]

    def _sample_lines(self) -> list[dict[str, Any]]:
        """The lines that are samples; a record may come from anywhere."""
        return [row for row in json_lines(self._folder / "samples.jsonl") if _is_sample(row)]

    def answers(self, epoch: float | None = None) -> "pd.DataFrame":
        """Every answer at one epoch beside the base model's, with what both scored.

        Columns: index, prompt, reference, base, tuned, then `base.SCORE` and `tuned.SCORE` of
        each score there is (`overall` from 2 to 100, the axes from 0 to 1; NaN where it has
        none). None is the last sampled epoch.
        """
        import pandas as pd  # noqa: PLC0415

        rows = []
        for row in self.answer_rows(epoch):
            flat = {k: row[k] for k in ("index", "prompt", "reference", "base", "tuned")}
            for side in ("base", "tuned"):
                flat |= {f"{side}.{k}": v for k, v in row[f"{side}_scores"].items()}
            rows.append(flat)
        frame = pd.DataFrame(rows)
        columns = [c for c in frame.columns if c.startswith(("base.", "tuned."))]
        return frame.astype(dict.fromkeys(columns, "float64"))

    def sampled_epochs(self) -> list[float]:
        """The epochs whose answers are kept, epoch 0 (the base model) among them."""
        return sorted({float(found["epoch"]) for found in self.view.samples})

    def answer_rows(self, epoch: float | None = None) -> list[dict[str, Any]]:
        """The rows of `answers` as dictionaries, with `base_more` and `tuned_more`.

        `base_scores` and `tuned_scores` hold the scores by name; they are empty where none were
        computed at that point.
        """
        lines = self._sample_lines()
        trained = [line["epoch"] for line in lines if line["epoch"] != 0]
        at = (trained[-1] if trained else None) if epoch is None else epoch
        found = scores.read(self._folder, of="prompts")
        scored = {point.epoch: point.values for point in found}  # noqa: PD011  no frame
        rows: dict[int, dict[str, Any]] = {}
        for line in lines:
            index = line["index"]
            row = rows.setdefault(
                index,
                {
                    "index": index,
                    "prompt": line["prompt"],
                    "reference": line["reference"],
                    "base": None,
                    "tuned": None,
                    "base_more": {},
                    "tuned_more": {},
                },
            )
            for side, wanted in (("base", 0), ("tuned", at)):
                if line["epoch"] == wanted:
                    row[side] = line["text"]
                    row[f"{side}_more"] = {k: v for k, v in line.items() if k not in _SAMPLE_KEYS}
        for row in rows.values():
            row["base_scores"] = _scores_at(scored.get(0), row["index"])
            row["tuned_scores"] = _scores_at(scored.get(at) if at else None, row["index"])
        return [rows[index] for index in sorted(rows)]

    def load(self) -> tuple[Any, Any]:
        """The trained (model, tokenizer).

        Of a run whose adapters are not merged (QLoRA), a peft model on its whole base.

        Raises
        ------
        StudioError
            When the run has no model, or the base of its adapters is no longer there.

        """
        path = self.model_path
        if path is None:
            raise problem_error(
                "run.no_model", f"Run {self.id} has no trained model: it is {self.status}."
            )
        permit = permits.permit_of_run(self.folder, path, self.plan)
        tokenizer = loading.tokenizer(path, permit)
        if adapters.holds_adapters_alone(path):
            return adapters.load_adapted(path, self.plan, run_folder=self.folder), tokenizer
        return loading.saved_model(path, permit), tokenizer


def _is_sample(row: dict[str, Any]) -> bool:
    index, epoch = row.get("index"), row.get("epoch")
    return (
        row.keys() >= _SAMPLE_KEYS - {"step"}
        and isinstance(index, int)
        and isinstance(epoch, int | float)
        and isinstance(row["text"], str | None)
    )


def _scores_at(values: scores.Values | None, index: int) -> dict[str, float | None]:
    """What one prompt scored, by name."""
    return {k: v[index] for k, v in (values or {}).items() if index < len(v)}


def _frame(points: list[EpochPoint]) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415

    return pd.DataFrame([_row(point) for point in points]).copy()


def _measured(value: dict[str, Any]) -> Measured | None:
    """The number a foreign record says; None for one that says neither it nor why there is none."""
    try:
        return Measured.model_validate(value)
    except ValueError:
        return None


def _row(point: EpochPoint) -> dict[str, Any]:
    row: dict[str, Any] = {"epoch": point.epoch, "step": point.step}
    for group, values in point.analytics:
        for name, value in dict(values or {}).items():  # a dictionary or a model of numbers
            if isinstance(value, dict) and {"value", "n"} <= value.keys():
                value = _measured(value)  # noqa: PLW2901
            if isinstance(value, Measured):
                dotted = f"{group}.{name}"
                row[dotted] = value.value
                row[f"{dotted}.low"] = value.low
                row[f"{dotted}.high"] = value.high
                row[f"{dotted}.n"] = value.n
    return row

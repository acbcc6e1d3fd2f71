"""One node's program: the pieces of its task, filled, proven, and written."""

import importlib.metadata
import platform
from types import ModuleType
from typing import Any

from easymodel_nb import environment
from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.runlog.headline import METRICS
from easymodel_nb.train.addresses import BUILTIN
from easymodel_nb.train.export import classification, generation, seq2seq, token_classification
from easymodel_nb.train.export.facts import Facts, slug
from easymodel_nb.train.export.loading import Loading, ways
from easymodel_nb.train.export.proof import differs
from easymodel_nb.train.export.writing import Section, notebook, script, sections
from easymodel_nb.train.preparation import Preparation

_TASKS: dict[str, ModuleType] = {
    "generation": generation,
    "classification": classification,
    "seq2seq": seq2seq,
    "token_classification": token_classification,
}
_PROVEN_TO = "model"  # the piece before which the examples are there
_SHOWN = 200  # characters of what went wrong
_PACKAGES = ("torch", "transformers", "datasets")


class Program:
    """What is written of one prepared node."""

    def __init__(self, ready: Preparation, project: str, *, notebook: bool) -> None:
        self.ready, self.project, self.notebook = ready, project, notebook
        self.facts = Facts(ready)
        self.task = _TASKS[self.facts.data.task]
        self.pieces = self.task.pieces(self.facts)
        self.name = f"{slug(project)}-{slug(ready.node)}"

    def proven(self) -> tuple[str, str]:
        """A file name and the text, with the first way to read the data that proves right.

        Raises
        ------
        StudioError
            When none does.

        """
        refuse_what_differs(self.ready)
        wanted = self.task.wanted(self.facts)
        until = self.pieces.index(_PROVEN_TO)
        reasons: list[str] = []
        for loading in ways(self.ready, notebook=self.notebook):
            parts = self._parts(loading)
            found = differs(parts[:until], wanted, self.task.got)
            if found is None:
                return self._written(parts)
            reasons.append(found)
        raise self._refused(reasons[0] if reasons else "no plain reader knows this kind of file")

    def _refused(self, why: str) -> StudioError:
        said = " ".join(why.split())
        said = said if len(said) < _SHOWN else f"{said[:_SHOWN]} ..."
        return problem_error(
            "export.differs",
            "Plain code would not train on the very same tokens as the studio, so it was not "
            f"written ({said}). Save the rows as .parquet or .jsonl with plain columns, and "
            "export again.",
            node=self.ready.node,
        )

    def _parts(self, loading: Loading) -> list[Section]:
        facts = self.facts
        own = self.task.fill(facts)  # first: it adds settings
        filled: dict[str, Any] = {
            "settings": facts.settings(loading, self.name),
            "data": loading,
            "columns": facts.columns(),
            "rows": facts.rows(),
            "model": facts.model(),
            "lora": facts.lora(),
            **facts.training(),
            **own,
        }
        return sections(self.pieces, filled)

    def _written(self, parts: list[Section]) -> tuple[str, str]:
        suffix, write = (".ipynb", notebook) if self.notebook else (".py", script)
        return f"{self.name}{suffix}", write(self._docstring(f"{self.name}{suffix}"), parts)

    def _docstring(self, file: str) -> str:
        data = self.facts.data
        how = {"full": "all weights", "lora": "LoRA", "qlora": "QLoRA"}[data.method]
        packages = [*_PACKAGES, *(["peft"] if data.method != "full" else [])]
        versions = (importlib.metadata.version(name).split("+")[0] for name in packages)
        wanted = " ".join(f"{p}=={v}" for p, v in zip(packages, versions, strict=True))
        start = "" if self.notebook else f"\n    python {file}"
        version = environment.version()
        by = f"EasyModel {version}" if version[0].isdigit() else "EasyModel"
        task = data.task.replace("_", " ")
        model, rows = self.ready.model_folder.name, self.ready.tables.name
        libraries = "transformers and datasets"
        if data.method != "full":
            libraries = "transformers, peft and datasets"
        source = self.ready.request["model"].get("data", {}).get("source", "")
        of_ours = any(
            name.strip().startswith(BUILTIN) for name in (source, self.ready.dataset.source)
        )
        built_in = (
            " What is built in is\nread from where EasyModel is installed." if of_ours else ""
        )
        return (
            f"Fine-tune {_plain(model)} on {_plain(rows)}: {task}, {how}.\n\n"
            f'Written by {by} from the node {self.ready.node} of "{_plain(self.project)}". It is '
            f"plain\n{libraries} and imports no EasyModel.{built_in} Tried with\nPython "
            f"{platform.python_version()} and:\n\n"
            f"    pip install {wanted}{start}\n\n"
            "It trains on the same rows as the studio, in the same order and with the same\n"
            "settings, and prints the same losses up to rounding. Where the model has dropout,\n"
            "other random numbers drop out: the studio computes no padding.\n"
        )


def refuse_what_differs(ready: Preparation) -> None:
    """Refuse what plain code could not do as the studio does.

    Raises
    ------
    StudioError
        On the field to change.

    """
    data = ready.chooser.data
    found: dict[str, str] = {}
    if data.method == "qlora":
        found["method"] = "QLoRA cannot be exported yet. Choose LoRA: it trains the same adapters."
    if data.time_budget_minutes is not None:
        found["time_budget_minutes"] = (
            "A time budget is kept by measuring on the machine that trains, which plain code does "
            "not. Clear it and set the epochs."
        )
    if data.early_stopping is not None and METRICS[data.task][0].higher:
        found["early_stopping"] = (
            f"Early stopping watches {METRICS[data.task][0].name}, which plain code does not "
            "compute. Clear it and set the epochs."
        )
    if found:
        raise StudioError(
            Problem(code="export.refused", message=message, node=ready.node, field=field)
            for field, message in found.items()
        )


def _plain(text: str) -> str:
    """A name as it can stand in a docstring."""
    return " ".join(text.replace("\\", "/").replace('"', "'").split())

"""The model card of a run: a README.md with what the run's own log, plan and samples say.

Nothing in it is written that the run did not record; what was not measured is named with
its reason, and a licence nobody stated is called unknown.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from easymodel_nb import __version__
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import EpochPoint, RunView
from easymodel_nb.train.takeaway import card_text
from easymodel_nb.train.takeaway.origins import Origins

TOOL = "easymodel-nb"
_UNINSTALLED = "not installed"  # what a run from a clone records
ADAPTER = "adapter_config.json"
CHECKED = "merge.json"  # in the run's folder, by `saving`
_PIPELINES = {
    "generation": "text-generation",
    "classification": "text-classification",
    "seq2seq": "text2text-generation",
    "token_classification": "token-classification",
}
# The names under which the Hub knows a metric, where they differ from ours.
_HUB_METRICS = {"macro_f1": "f1", "mcc": "matthews_correlation", "rouge_l": "rouge"}


@dataclass(frozen=True)
class Facts:
    """What a card is made of; `folder` holds the model it describes."""

    view: RunView
    plan: dict[str, Any]
    samples: list[dict[str, Any]]
    origins: Origins
    folder: Path
    name: str
    repo: str | None = None
    merge: dict[str, Any] | None = None  # how far merged and adapter model were found apart

    @property
    def merged(self) -> bool:
        """Whether adapters were trained and are now part of the weights."""
        return self.plan["method"] != "full" and not self.adapter

    @property
    def task(self) -> str:
        """The task of the run."""
        return str(self.plan["task"])

    @property
    def tool(self) -> str:
        """What made the model, with its version."""
        recorded = (self.view.environment or {}).get("easymodel")
        return f"{TOOL} {recorded if recorded not in {None, _UNINSTALLED} else __version__}"

    @property
    def adapter(self) -> bool:
        """Whether the folder holds an adapter and not a whole model."""
        return (self.folder / ADAPTER).exists()

    @property
    def code(self) -> dict[str, Any] | None:
        """Whose Python code the model works only with; None where Transformers knows it."""
        return (self.plan.get("model") or {}).get("code")

    @property
    def base_point(self) -> EpochPoint | None:
        """What was measured before training."""
        return next((p for p in self.view.points if p.step == 0), None)

    @property
    def tuned_point(self) -> EpochPoint | None:
        """What was measured of the weights that were saved; None when they were not."""
        kept = self.view.summary.get("kept_step", self.view.summary.get("steps"))
        last = [p for p in self.view.points if p.step > 0]
        return next((p for p in reversed(last) if kept is None or p.step == kept), None)


def facts(
    run: Run,
    origins: Origins,
    *,
    folder: Path | None = None,
    repo: str | None = None,
) -> Facts:
    """Everything a run's card says; `folder` is another one than the run's for a merged model."""
    view, plan, path = run.view, run.plan, folder or run.model_path
    assert plan is not None  # noqa: S101  it has a model, so it had a plan
    assert path is not None  # noqa: S101
    name = plan["finetune"].get("output_name") or repo or _name(plan)
    merge = None
    with suppress(OSError, ValueError):
        merge = json.loads((run.folder / CHECKED).read_text(encoding="utf-8"))
    rows, short = run.sample_rows(), name.split("/")[-1]
    return Facts(view, plan, rows, origins, path, short, repo, merge)


def _name(plan: dict[str, Any]) -> str:
    model = plan["request"]["model"].get("data", {}).get("source") or plan["model"]["name"]
    short = str(model).rstrip("/").replace("builtin:", "").split("/")[-1]
    return f"{short}-{str(plan['dataset']['name']).split('/')[-1].split('.')[0]}"


def card(known: Facts) -> str:
    """The README.md: metadata as YAML, then the text."""
    from huggingface_hub import ModelCard  # noqa: PLC0415  late: it takes a second

    text = card_text.text(known)
    made = ModelCard(
        f"---\n{_metadata(known).to_yaml()}\n---\n\n{text}\n", ignore_metadata_errors=False
    )
    return str(made.content)


def _metadata(known: Facts) -> Any:
    from huggingface_hub import ModelCardData  # noqa: PLC0415

    model, datasets = known.origins.model, known.origins.datasets
    languages = {language for d in datasets for language in d.languages} or set(model.languages)
    hub_data = [d.hub for d in datasets if d.hub]
    library = "peft" if known.adapter else "transformers"
    results = _results(known)
    more: dict[str, Any] = {}
    if model.hub:
        more["base_model"] = model.hub
        more["base_model_relation"] = "adapter" if known.adapter else "finetune"
    if model.licence is not None:
        more["license"] = model.licence if model.named else "other"
        if not model.named:
            more["license_name"] = model.licence
        if model.link:
            more["license_link"] = model.link
    return ModelCardData(
        **more,
        language=sorted(languages) or None,
        library_name=library,
        pipeline_tag=_PIPELINES[known.task],
        tags=[
            TOOL,
            *(["lora"] if known.plan["method"] != "full" else []),
            *(["custom_code"] if known.code else []),
        ],
        datasets=hub_data or None,
        model_name=known.name if results else None,
        eval_results=results or None,
    )


def _results(known: Facts) -> list[Any]:
    from huggingface_hub import EvalResult  # noqa: PLC0415

    point = known.tuned_point
    if point is None:
        return []
    data = known.plan["dataset"]
    origin = known.origins.datasets[-1]
    results = []
    for key, title, found in card_text.measured(known.view, point):
        name = key.rpartition(".")[2]
        if found.value is None or key.endswith(".train") or name.startswith("majority_"):
            continue
        spread = {"n": found.n, "low": found.low, "high": found.high}
        results.append(
            EvalResult(
                task_type=_PIPELINES[known.task],
                dataset_type=origin.hub or origin.name,
                dataset_name=origin.name,
                dataset_split=data.get("eval_split") or f"held out of {data['train_split']}",
                dataset_revision=data.get("revision"),
                metric_type="perplexity"
                if key.startswith("perplexity")
                else _HUB_METRICS.get(name, name),
                metric_name=title,
                metric_value=round(found.value, 6),
                metric_args={k: v for k, v in spread.items() if v is not None},
            )
        )
    return results

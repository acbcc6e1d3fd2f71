"""What a model card says, section by section, in Markdown."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easymodel_nb.measured import Measured
from easymodel_nb.runlog.headline import metrics_of
from easymodel_nb.runlog.view import EpochPoint, RunView
from easymodel_nb.train.takeaway import card_code
from easymodel_nb.workflow.document import FinetuneData
from easymodel_nb.workflow.labels import TASK_TITLES, label_of

if TYPE_CHECKING:
    from easymodel_nb.train.takeaway.card import Facts
    from easymodel_nb.train.takeaway.origins import Origin

_SAMPLES, _LONGEST = 3, 1_500  # characters of a sample's part
_TITLES = {
    "task.loss": "Loss",
    "task.bits_per_byte": "Bits per byte",
    "perplexity.train": "Train perplexity",
    "task.majority_accuracy": "Accuracy of always the commonest class",
    "task.majority_macro_f1": "Macro-F1 of always the commonest class",
}
_GROUPS = ("quality", "semantics", "efficiency")
_ROLES = ("text_field", "text_pair_field", "prompt_field", "target_field", "label_field",
          "messages_field", "template", "source_prefix")  # fmt: skip
_SETTINGS = ("epochs", "batch_size", "gradient_accumulation", "max_length", "subset_size",
             "learning_rate", "scheduler", "warmup_ratio", "weight_decay", "precision",
             "gradient_checkpointing", "class_weights", "early_stopping",
             "time_budget_minutes", "seed")  # fmt: skip
_ALWAYS = (
    "How it does on other rows than those described above is not known.",
    "Bias, safety and truthfulness were not measured.",
)
_LORA = ("lora_rank", "lora_alpha", "lora_dropout", "target_modules")


def measured(view: RunView, point: EpochPoint) -> list[tuple[str, str, Measured]]:
    """Every number of a point with its dotted name and its title, the perplexities first."""
    titles = _TITLES | {m.key: m.title for m in metrics_of(view)}
    groups = (("perplexity", point.analytics.perplexity), ("task", point.analytics.task))
    return [
        (key, titles.get(key, name.replace("_", " ").capitalize()), value)
        for group, values in groups
        for name, value in values.items()
        for key in [f"{group}.{name}"]
    ]


def text(known: "Facts") -> str:
    """The whole text of the card, below its metadata."""
    parts = [
        f"# {known.name}",
        _what(known),
        "## Measured",
        _numbers(known),
        "## How it was trained",
        _training(known),
        "## Samples",
        _samples(known),
        "## Not measured, and limits",
        _limits(known),
        "## How to load it",
        card_code.loading(known),
        "## Licences",
        _licences(known),
    ]
    return "\n\n".join(part for part in parts if part)


def _what(known: "Facts") -> str:
    how = {"full": "full fine-tuning", "lora": "LoRA", "qlora": "QLoRA"}[known.plan["method"]]
    kind = "A LoRA adapter" if known.adapter else "A model"
    merged = f" {_merged(known)}" if known.merged else ""
    data = _joined([_linked(d) for d in known.origins.datasets])
    task = TASK_TITLES[known.task].lower()
    stages = len(known.origins.stages)
    after = f" It is the last of {stages} stages of training." if stages > 1 else ""
    return (
        f"{kind} for {task}: {_linked(known.origins.model)}, trained on {data} by {how}."
        f"{merged}{after} Made with {known.tool}; run `{known.view.id}`."
    )


def _merged(known: "Facts") -> str:
    beside = known.folder / "adapter"
    lies = "; they also lie in the folder `adapter`, for peft" if beside.is_dir() else ""
    said = f"The adapters are merged into the weights{lies}."
    found = known.merge
    if found is None:
        return said
    return (
        f"{said} On {found['rows']} rows the logits of merged and adapter model differ by at "
        f"most {found['largest']:.2g}, where the largest is {found['scale']:.3g}."
    )


# ---------------------------------------------------------------- numbers


def _numbers(known: "Facts") -> str:
    base, tuned = known.base_point, known.tuned_point
    if base is None or tuned is None:
        return "This run measured nothing of the model that was saved."
    before = {key: value for key, _, value in measured(known.view, base)}
    rows = [
        (name, _cell(before.get(key)), _cell(value), _count(value.n))
        for key, name, value in measured(known.view, tuned)
        if value.value is not None
    ]
    data = known.plan["dataset"]
    where = (
        f"the split `{data['eval_split']}`"
        if data.get("eval_split")
        else (f"rows held out of the split `{data['train_split']}`")
    )
    told = (
        f"On {where} of {known.origins.datasets[-1].name} ({data['eval_rows']:,} rows), unless "
        "named train. In brackets the 95 % interval over the rows; n is the number of rows (of "
        "texts for perplexity) it was measured on."
    )
    return told + "\n\n" + _table(("", "Base", "Trained", "n"), rows)


def _cell(found: Measured | None) -> str:
    if found is None:
        return "not measured"
    if found.value is None:
        return f"none: {found.reason}"
    spread = ""
    if found.low is not None and found.high is not None:
        spread = f" ({_number(found.low)} to {_number(found.high)})"
    return _number(found.value) + spread


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"  # noqa: PLR2004


def _count(n: int | None) -> str:
    return "" if n is None else f"{n:,}"


# ---------------------------------------------------------------- training


def _training(known: "Facts") -> str:
    plan, view = known.plan, known.view
    reasons = {c["field"]: c["reason"] for c in plan["choices"]}
    values = plan["finetune"]
    named = [*_ROLES, *_SETTINGS, *(_LORA if plan["method"] != "full" else ())]
    rows = [
        (label_of(field), _value(values.get(field)), reasons.pop(field, _set(field, values)))
        for field in named
        if values.get(field) not in (None, False, "")
    ]
    chosen = {c["field"]: c["value"] for c in plan["choices"]}
    rows += [(label_of(f), _value(chosen[f]), why) for f, why in reasons.items()]
    ran = [("Rows trained on", f"{plan['dataset']['train_rows']:,}"),
           ("Steps", f"{view.summary.get('steps', plan['max_steps']):,} of {plan['max_steps']:,}"),
           ("Parameters", f"{plan['model']['parameters']:,}"),
           ("Device", str(plan["device"]))]  # fmt: skip
    seconds = view.summary.get("seconds")
    if seconds:
        ran.append(("Time of the whole run", f"{seconds:,.0f} s"))
    versions = view.environment or {}
    ran += [(n, str(versions[n])) for n in ("torch", "transformers", "peft", "datasets")
            if versions.get(n)]  # fmt: skip
    for d in (known.origins.model, *known.origins.datasets):
        if d.revision:
            ran.append((f"Revision of {d.name}", f"`{d.revision}`"))
    return _table(("Setting", "Value", "Why"), rows) + "\n\n" + _table(("This run", ""), ran)


def _set(field: str, values: dict[str, Any]) -> str:
    default = FinetuneData.model_fields[field].default
    return "the default" if values.get(field) == default else "set by the user"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {v}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


# ---------------------------------------------------------------- samples, limits, licences


def _samples(known: "Facts") -> str:
    rows = [row for row in known.samples if row.get("tuned") is not None][:_SAMPLES]
    if not rows:
        return "This run wrote no samples."
    told = "The first rows of the validation data that were asked, not chosen by hand.\n\n"
    return told + "\n\n".join(_sample(number, row) for number, row in enumerate(rows, 1))


def _sample(number: int, row: dict[str, Any]) -> str:
    parts = [
        ("Prompt", "prompt"),
        ("Reference", "reference"),
        ("Base", "base"),
        ("Trained", "tuned"),
    ]
    return f"### {number}\n\n" + "\n\n".join(
        f"{name}:\n\n{_fenced(str(row[key]))}" for name, key in parts if row.get(key) is not None
    )


def _fenced(words: str) -> str:
    if len(words) > _LONGEST:
        words = words[:_LONGEST] + f" … ({len(words):,} characters in all)"
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{words.strip()}\n{fence}"


def _limits(known: "Facts") -> str:
    points = [p.analytics for p in known.view.points]
    lines = [
        f"{group.capitalize()} of its texts: not measured in this run."
        for group in _GROUPS
        if not any(getattr(a, group) for a in points)
    ]
    tuned = known.tuned_point
    for _, name, value in measured(known.view, tuned) if tuned else []:
        if value.value is None:
            lines.append(f"{name}: {value.reason}.")
    data = known.plan["dataset"]
    if data.get("overlap_rows"):
        lines.append(f"{data['overlap_rows']:,} of the measured rows were trained on as well, so "
                     "the numbers flatter the model.")  # fmt: skip
    lines += [w.message for w in known.view.warnings]
    lines += _ALWAYS
    # A warning may name a file; where it lay is nobody's business.
    return "\n".join(f"- {_line(line)}" for line in lines).replace(str(Path.home()), "~")


def _licences(known: "Facts") -> str:
    model, datasets = known.origins.model, known.origins.datasets
    rows = [("Base model", _linked(model), model.licence_line)]
    rows += [("Data", _linked(d), d.licence_line) for d in datasets]
    more = (
        "The model is a work derived from the base model, so it carries that licence. Whether "
        "the licence of the data reaches the model is not decided here."
    )
    if model.licence is None:
        more = "The licence of the base model is unknown, so this model names none."
    if any(o.notices for o in (model, *datasets)):
        more += " Licence and attribution texts that came along are in the folder `licences`."
    return _table(("", "Source", "Licence"), rows) + "\n\n" + more


# ---------------------------------------------------------------- Markdown


def _linked(origin: "Origin") -> str:
    if origin.hub is None:
        return f"`{origin.name}`" if origin.kind == "builtin" else origin.name
    kind = "" if origin.what == "model" else "datasets/"
    return f"[{origin.hub}](https://huggingface.co/{kind}{origin.hub})"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_line(cell).replace("|", "\\|") for cell in line) + " |"
                     for line in lines)  # fmt: skip


def _line(words: str) -> str:
    return " ".join(str(words).split())


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

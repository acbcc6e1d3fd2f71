"""The code a model card gives: how the model is loaded without this package."""

import json
from typing import TYPE_CHECKING

from easymodel_nb.runlog.adapters import MODEL_CONFIG

if TYPE_CHECKING:
    from easymodel_nb.train.card import Facts

_AUTO = {
    "generation": "AutoModelForCausalLM",
    "classification": "AutoModelForSequenceClassification",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "token_classification": "AutoModelForTokenClassification",
}


def loading(known: "Facts") -> str:
    """The section: a sentence where one is needed, and the code."""
    place = known.repo or "FOLDER"  # the folder this file lies in
    auto = _AUTO[known.task]
    told = "" if known.repo else "`FOLDER` is the folder in which this file lies.\n\n"
    if not known.adapter:
        lines = [
            f"from transformers import {auto}, AutoTokenizer",
            "",
            f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
            f'model = {auto}.from_pretrained("{place}")',
        ]
    else:
        base = known.origins.model
        if not base.hub:
            told += (
                f"This is an adapter: it needs its base model, {base.name}, which is not on the "
                "Hub; `BASE` is its folder.\n\n"
            )
        pinned = f", revision={base.revision!r}" if base.hub and base.revision else ""
        lines = [
            "from peft import PeftModel",
            f"from transformers import {auto}, AutoTokenizer",
            "",
            f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
            f'base = {auto}.from_pretrained("{base.hub or "BASE"}"{pinned}{_labels(known)})',
            f'model = PeftModel.from_pretrained(base, "{place}")',
        ]
    code = "\n".join([*lines, *_use(known)])
    return f"{told}```python\n{code}\n```"


def _labels(known: "Facts") -> str:
    """A classifier's base has no head yet, or one of another size."""
    if known.task not in {"classification", "token_classification"}:
        return ""
    config = json.loads((known.folder / MODEL_CONFIG).read_text(encoding="utf-8"))
    labels = {int(number): label for number, label in config["id2label"].items()}
    return f", ignore_mismatched_sizes=True, num_labels={len(labels)}, id2label={labels!r}"


def _use(known: "Facts") -> list[str]:
    if known.task == "generation":
        return [
            "",
            'inputs = tokenizer("PROMPT", return_tensors="pt", add_special_tokens=False)',
            f"written = model.generate(**inputs, max_new_tokens={_tokens(known)}, do_sample=False)",
            'print(tokenizer.decode(written[0, inputs["input_ids"].shape[1] :]))',
        ]
    if known.task == "seq2seq":
        prefix = str(known.plan["finetune"].get("source_prefix") or "")
        return [
            "",
            f'inputs = tokenizer({prefix!r} + "SOURCE", return_tensors="pt")',
            f"written = model.generate(**inputs, max_new_tokens={_tokens(known)}, do_sample=False)",
            "print(tokenizer.decode(written[0], skip_special_tokens=True))",
        ]
    use = ["", 'inputs = tokenizer("TEXT", return_tensors="pt")', "logits = model(**inputs).logits"]
    if known.task == "classification":
        return [*use, "print(model.config.id2label[int(logits.argmax())])"]
    return [*use, "print([model.config.id2label[int(i)] for i in logits.argmax(-1)[0]])"]


def _tokens(known: "Facts") -> int:
    return int(known.plan.get("max_new_tokens") or 64)

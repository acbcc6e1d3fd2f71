"""The code a model card gives: how the model is loaded without this package."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from easymodel_nb.runlog.adapters import MODEL_CONFIG

if TYPE_CHECKING:
    from easymodel_nb.train.takeaway.card import Facts

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
    told += _own_code(known)
    trust = ", trust_remote_code=True" if known.code else ""
    with_model = "" if known.adapter else trust  # the base brings it along
    if not known.adapter:
        lines = [
            f"from transformers import {auto}, AutoTokenizer",
            "",
            f'tokenizer = AutoTokenizer.from_pretrained("{place}"{with_model})',
            f'model = {auto}.from_pretrained("{place}"{with_model})',
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
            f'base = {auto}.from_pretrained("{base.hub or "BASE"}"{pinned}{trust}{_labels(known)})',
            f'model = PeftModel.from_pretrained(base, "{place}")',
        ]
    code = "\n".join([*lines, *_use(known)])
    return f"{told}```python\n{code}\n```"


def _own_code(known: "Facts") -> str:
    """That the model runs Python code, whose it is, and where it lies."""
    if not known.code:
        return ""
    names = ", ".join(f"`{name}`" for name in sorted(known.code["files"]))
    local = Path(known.code["repo"]).is_absolute()
    whose = "its base" if local else f"{known.code['repo']} at commit {known.code['commit'][:7]}"
    lies = "comes with the base" if known.adapter else "lies in this folder"
    return (
        f"This model works only with Python code of its own, that of {whose} ({names}), which "
        f"{lies}. Code can do on a machine whatever its user can: look at it before you set "
        "`trust_remote_code`.\n\n"
    )


def _labels(known: "Facts") -> str:
    """A classifier's base has no head yet, or one of another size."""
    if known.task not in {"classification", "token_classification"}:
        return ""
    config = json.loads((known.folder / MODEL_CONFIG).read_text(encoding="utf-8"))
    labels = {int(number): label for number, label in config["id2label"].items()}
    return f", ignore_mismatched_sizes=True, num_labels={len(labels)}, id2label={labels!r}"


def _use(known: "Facts") -> list[str]:
    data = known.plan["finetune"]
    if known.task == "generation":
        inputs = ['inputs = tokenizer("PROMPT", return_tensors="pt", add_special_tokens=False)']
        if data.get("messages_field"):
            inputs = [
                'turns = [{"role": "user", "content": "PROMPT"}]',
                "inputs = tokenizer.apply_chat_template(",
                '    turns, add_generation_prompt=True, return_tensors="pt", return_dict=True',
                ")",
            ]
        return [
            "",
            *inputs,
            f"written = model.generate(**inputs, max_new_tokens={_tokens(known)}, do_sample=False)",
            'print(tokenizer.decode(written[0, inputs["input_ids"].shape[1] :]))',
        ]
    if known.task == "seq2seq":
        prefix = data.get("source_prefix")
        before = f"{prefix!r} + " if prefix else ""
        return [
            "",
            f'inputs = tokenizer({before}"SOURCE", return_tensors="pt")',
            f"written = model.generate(**inputs, max_new_tokens={_tokens(known)}, do_sample=False)",
            "print(tokenizer.decode(written[0], skip_special_tokens=True))",
        ]
    text = '"TEXT", "SECOND TEXT"' if data.get("text_pair_field") else '"TEXT"'
    use = [
        "",
        f'inputs = tokenizer({text}, return_tensors="pt")',
        "logits = model(**inputs).logits",
    ]
    if known.task == "classification":
        return [*use, "print(model.config.id2label[int(logits.argmax())])"]
    return [*use, "print([model.config.id2label[int(i)] for i in logits.argmax(-1)[0]])"]


def _tokens(known: "Facts") -> int:
    return int(known.plan.get("max_new_tokens") or 64)

"""The code a model card gives: how the model is loaded without this package."""

from typing import TYPE_CHECKING

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
    elif known.origins.model.hub:
        auto = auto.replace("AutoModel", "AutoPeftModel")
        lines = [
            f"from peft import {auto}",
            "from transformers import AutoTokenizer",
            "",
            f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
            f'model = {auto}.from_pretrained("{place}")',
        ]
    else:
        told += (
            f"This is an adapter: it needs its base model, {known.origins.model.name}, which is "
            "not on the Hub; `BASE` is its folder.\n\n"
        )
        lines = [
            "from peft import PeftModel",
            f"from transformers import {auto}, AutoTokenizer",
            "",
            f'tokenizer = AutoTokenizer.from_pretrained("{place}")',
            f'base = {auto}.from_pretrained("BASE"{_labels(known)})',
            f'model = PeftModel.from_pretrained(base, "{place}")',
        ]
    code = "\n".join([*lines, *_use(known)])
    return f"{told}```python\n{code}\n```"


def _labels(known: "Facts") -> str:
    """A classifier's base has no head yet, or one of another size."""
    if known.task not in {"classification", "token_classification"}:
        return ""
    return ", num_labels=len(LABELS)"


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

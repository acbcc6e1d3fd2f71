"""Which tasks a model can be trained for, read off its config.json without loading anything."""

from collections.abc import Collection, Mapping
from typing import Any

from easymodel_nb.errors import FieldChange, Fix, StudioError, problem_error

TITLES = {
    "generation": "generation",
    "classification": "classification",
    "seq2seq": "sequence to sequence",
    "token_classification": "token classification",
}
AUTO_CLASSES = {
    "generation": "AutoModelForCausalLM",
    "classification": "AutoModelForSequenceClassification",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "token_classification": "AutoModelForTokenClassification",
}
_LEFT_TO_RIGHT = ("generation", "classification", "token_classification")
_READS_ONLY = ("classification", "token_classification")
_CAUSAL_ENDINGS = ("ForCausalLM", "LMHeadModel")
# Architectures whose name has no ending that tells: the bare model of a left-to-right family.
_CAUSAL_FAMILIES = (
    "gpt2", "gpt_neo", "gpt_neox", "gptj", "gpt_bigcode", "opt", "bloom", "llama", "mistral",
    "mixtral", "qwen2", "qwen3", "phi", "phi3", "gemma", "gemma2", "gemma3_text", "falcon",
    "stablelm", "smollm3", "olmo", "olmo2", "granite", "cohere", "starcoder2", "codegen", "xglm",
)  # fmt: skip
_NO_TOKEN_HEAD = ("opt", "gptj", "codegen", "xglm", "gpt_neox_japanese")


def tasks_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The tasks a model with this config can do, the one it was made for first.

    An encoder-decoder writes from a source text; a left-to-right model writes and can
    carry a classification head; an encoder reads only.
    """
    names = [str(name) for name in config.get("architectures") or ()]
    family = str(config.get("model_type") or "")
    if config.get("is_encoder_decoder"):
        return ("seq2seq",)
    causal = any(name.endswith(_CAUSAL_ENDINGS) for name in names)
    if family == "bert" and causal and not config.get("is_decoder"):
        causal = False  # BertLMHeadModel without the causal mask is an encoder
    if causal or (family in _CAUSAL_FAMILIES and not _headed(names)):
        return tuple(
            task
            for task in _LEFT_TO_RIGHT
            if task != "token_classification" or family not in _NO_TOKEN_HEAD
        )
    if any(name.endswith("ForTokenClassification") for name in names):
        return ("token_classification", "classification")
    return _READS_ONLY


def tasks_of_code(classes: Collection[str]) -> tuple[str, ...]:
    """The tasks that code of a model's own has a class for; `classes` are Transformers' names."""
    return tuple(task for task in TITLES if AUTO_CLASSES[task] in classes)


def _headed(names: list[str]) -> bool:
    return any("For" in name and not name.endswith(_CAUSAL_ENDINGS) for name in names)


def refuse_unfit(
    task: str, config: Mapping[str, Any], classes: Collection[str] | None = None
) -> None:
    """Refuse a model that cannot do the task, naming the tasks that it can do.

    `classes` are those that code of its own has; None where Transformers knows the model.

    Raises
    ------
    StudioError
        With the field `task` and a fix that sets it.

    """
    able = tasks_of(config) if classes is None else tasks_of_code(classes)
    if task in able:
        return
    if classes is not None:
        raise _no_class(task, able)
    names = config.get("architectures") or [config.get("model_type") or "model"]
    kind = (
        "an encoder-decoder, which writes an answer from a source text"
        if config.get("is_encoder_decoder")
        else "an encoder, which reads text but cannot write it"
        if able == _READS_ONLY or able[0] == "token_classification"
        else "a left-to-right language model"
    )
    can = " or ".join(TITLES[name] for name in able)
    raise problem_error(
        "model.task",
        f"{names[0]} is {kind}; it can be trained for {can}, not for {TITLES.get(task, task)}. "
        "Change the task, or choose another model.",
        field="task",
        fix=Fix(
            label=f"Set the task to {TITLES[able[0]]}",
            set=[FieldChange(node="", field="task", value=able[0])],
        ),
    )


def _no_class(task: str, able: tuple[str, ...]) -> StudioError:
    """Code of a model's own does what its author wrote, and nothing else."""
    can = " or ".join(TITLES[name] for name in able)
    told = f"it can be trained for {can}. Change the task, or choose" if able else "choose"
    fix = (
        Fix(
            label=f"Set the task to {TITLES[able[0]]}",
            set=[FieldChange(node="", field="task", value=able[0])],
        )
        if able
        else None
    )
    return problem_error(
        "model.task",
        f"The Python code of this model has no class for {TITLES.get(task, task)}; {told} another "
        "model.",
        field="task",
        fix=fix,
    )

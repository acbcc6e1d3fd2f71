"""How a model is trained: all its weights, or adapters beside them (LoRA, QLoRA) by peft.

LoRA (Hu et al. 2021) leaves the weights W as they are and learns a low-rank change:
W + (alpha / rank) * B A. B begins at 0, so before the first step the model is its base.
QLoRA (Dettmers et al. 2023) does the same on a base that is kept in 4 bits.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from transformers.pytorch_utils import Conv1D

from easymodel_nb import environment
from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError, problem_error
from easymodel_nb.workflow.check_methods import method_problems

if TYPE_CHECKING:
    from easymodel_nb.train.planning import Chooser
    from easymodel_nb.train.tasks.task import Task

ALL_LINEAR = "all-linear"  # a target module that means all of them, as in peft
_TASK_TYPES = {
    "generation": "CAUSAL_LM",
    "seq2seq": "SEQ_2_SEQ_LM",
    "classification": "SEQ_CLS",
    "token_classification": "TOKEN_CLS",
}
_LISTED = 12  # names in a sentence
_ROUTERS = frozenset({"gate", "router", "shared_expert_gate"})  # of mixtures of experts
# Dettmers et al. 2023 (QLoRA, section 4 and figure 2), and Schulman and Thinking Machines Lab
# 2025 (LoRA Without Regret): attention alone, peft's own choice for most models, stays behind
# full fine-tuning also at a higher rank. On our built-in data and models it is the same.
_WHY_ALL = "adapters in the attention alone learn less, at any rank"


def bare(model: Any) -> Any:
    """The transformers model itself, also where adapters are wrapped around it."""
    unwrap = getattr(model, "get_base_model", None)
    return model if unwrap is None else unwrap()


def is_adapted(model: Any) -> bool:
    """Whether adapters are wrapped around the model."""
    return hasattr(model, "get_base_model")


def sizes(model: Any) -> tuple[int, int]:
    """How many weights the model has without its adapters, and how many are trained."""
    whole = trained = 0
    for name, weight in model.named_parameters():
        count = weight.numel()
        if type(weight).__name__ == "Params4bit":  # two weights a byte
            count *= 2 * weight.element_size()
        if not (".lora_" in name or ".modules_to_save." in name):
            whole += count
        if weight.requires_grad:
            trained += count
    return whole, trained


def counted(task: "Task") -> tuple[int, int]:
    """The same as `sizes` will say of the model of a prepared task, before its weights are read.

    Raises
    ------
    StudioError
        On the field `target_modules`, when the model lacks one of them.

    """
    data, model = task.context.chooser.data, task.empty_model()
    whole = sum(weight.numel() for weight in model.parameters())
    if data.method == "full":
        return whole, whole
    heads = _heads(model, task)
    names, _ = _targets(model, data.target_modules, heads)
    trained = 0
    for path, module in _linear(model, heads).items():
        if any(_matches(path, name) for name in names):
            trained += data.lora_rank * sum(module.weight.shape)
    for path, weight in model.named_parameters():
        trained += weight.numel() if any(_within(path, head) for head in heads) else 0
    return whole, trained


# ------------------------------------------------------------ what is adapted


def check(task: "Task") -> list[Problem]:
    """Refuse a method that this device or this model cannot be trained by, without any weights.

    Returns what else the user should know of the adapters.

    Raises
    ------
    StudioError
        On the field `method` or `target_modules`.

    """
    data = task.context.chooser.data
    if refused := method_problems(data, environment.device(ask_torch=True)):
        raise StudioError(refused)
    if data.method == "full":
        return []
    try:
        model = task.empty_model()
    except (ValueError, RuntimeError, AttributeError, ImportError, TypeError, KeyError):
        return []  # what is wrong with the model is said where it is loaded
    names, _ = _targets(model, data.target_modules, _heads(model, task))
    return list(_rank_notes(model, names, data.lora_rank))


def _linear(model: Any, heads: Sequence[str]) -> dict[str, Any]:
    """The linear layers by path, without the heads: what adapters are put beside."""
    out = model.get_output_embeddings()
    tied = out is not None and out.weight is model.get_input_embeddings().weight
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D))
        and not (module is out and (tied or _is_tied(model)))
        and not any(path == head or path.startswith(f"{head}.") for head in heads)
    }


def _is_tied(model: Any) -> bool:
    return bool(getattr(model.config, "tie_word_embeddings", False))


def _heads(model: Any, task: "Task") -> list[str]:
    """What is new and so is trained whole: the head, and what the checkpoint had no weights for."""
    found: list[str] = []
    if not task.writes:
        body = model.base_model_prefix
        found += [
            name
            for name, child in model.named_children()
            if name != body and any(True for _ in child.parameters())
        ]
    parents = {key.rpartition(".")[0] for key in task.new_weights}
    found += sorted(p for p in parents if p and not any(_within(p, head) for head in found))
    if task.resized:
        rows = model.get_input_embeddings()
        found += [path for path, module in model.named_modules() if module is rows]
    return found


def _within(path: str, parent: str) -> bool:
    return path == parent or path.startswith(f"{parent}.")


def _matches(path: str, wanted: str) -> bool:
    """Whether peft takes that name for this module."""
    return path == wanted or path.endswith(f".{wanted}")


def _targets(
    model: Any, wanted: list[str] | None, heads: Sequence[str]
) -> tuple[list[str], str | None]:
    """The names of the modules that get adapters, and why these where nobody chose them."""
    linear = _linear(model, heads)
    out = model.get_output_embeddings()
    inner = {path.rpartition(".")[2] for path, module in linear.items() if module is not out}
    every = sorted(inner - _ROUTERS)
    if wanted is None or wanted == [ALL_LINEAR]:
        return every, f"all linear layers of {type(model).__name__} but the head: {_WHY_ALL}"
    missing = [name for name in wanted if not any(_matches(path, name) for path in linear)]
    if missing or not wanted:
        raise _unknown(model, missing, every)
    return wanted, None


def _unknown(model: Any, missing: Sequence[str], every: Sequence[str]) -> Exception:
    there = {path.rpartition(".")[2] for path, _ in model.named_modules()}
    kind = type(model).__name__
    if not missing:
        what = "The list of target modules is empty."
    elif all(name.rpartition(".")[2] in there for name in missing):
        what = (
            f"LoRA cannot adapt {_listed(missing)} of {kind}: it adapts linear layers of the body."
        )
    else:
        what = f"{kind} has no module {_listed(missing)}."
    return problem_error(
        "lora.modules",
        f"{what} It has: {_listed(every)}. Name some of these, or leave the field empty to have "
        "them chosen.",
        field="target_modules",
        fix=Fix(
            label="Choose the modules for me",
            set=[FieldChange(node="", field="target_modules", value=None)],
        ),
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_LISTED])
    more = len(names) - _LISTED
    return f"{shown} and {more} more" if more > 0 else shown


def _rank_notes(model: Any, names: Sequence[str], rank: int) -> Iterator[Problem]:
    """A change of a matrix has at most as many ranks as its shorter side is wide."""
    chosen = [
        module
        for path, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and any(_matches(path, n) for n in names)
    ]
    width = max((min(module.weight.shape) for module in chosen), default=rank)
    if rank > width:
        yield Problem(
            code="lora.rank",
            severity="note",
            message=f"LoRA rank {rank} is more than the adapted layers are wide ({width}): a rank "
            f"beyond {width} adds weights that can express nothing more.",
            field="lora_rank",
            fix=Fix(
                label=f"Set LoRA rank to {max(1, width // 2)}",
                set=[FieldChange(node="", field="lora_rank", value=max(1, width // 2))],
            ),
        )


# ------------------------------------------------------------ putting it there


def wrap(model: Any, task: "Task") -> Any:
    """The model made ready for the method of the node; fills what the method leaves open.

    A peft model for LoRA and QLoRA: only adapters, and what is new in the model, are trained.
    The first weights of the adapters are a function of the seed.

    Raises
    ------
    StudioError
        On the field `target_modules`, when the model lacks one of them.

    """
    chooser = task.context.chooser
    if chooser.data.method == "full":
        return model
    import peft  # noqa: PLC0415

    heads = _heads(model, task)
    names, why = _targets(model, chooser.data.target_modules, heads)
    if why is not None:
        chooser.set("target_modules", names, why)
    _choose_alpha(chooser)
    data = chooser.data
    if data.method == "qlora":
        model = peft.prepare_model_for_kbit_training(  # type: ignore[no-untyped-call]
            model, use_gradient_checkpointing=bool(data.gradient_checkpointing)
        )
    elif data.gradient_checkpointing:
        model.enable_input_require_grads()  # else nothing that is recomputed has a gradient
    settings: dict[str, Any] = {
        "task_type": _TASK_TYPES[data.task],
        "r": data.lora_rank,
        "lora_alpha": data.lora_alpha,
        "lora_dropout": data.lora_dropout,
        "target_modules": names,
        "modules_to_save": list(heads) or None,
        "fan_in_fan_out": any(isinstance(module, Conv1D) for module in model.modules()),
    }
    torch.manual_seed(data.seed)
    wrapped = peft.get_peft_model(model, peft.LoraConfig(**settings))
    _tell(wrapped, heads, chooser)
    return wrapped


def _choose_alpha(chooser: "Chooser") -> None:
    if chooser.data.lora_alpha is None:
        chooser.set(
            "lora_alpha",
            2.0 * chooser.data.lora_rank,
            "twice the rank: the adapters then weigh the same (alpha / rank = 2) whatever the "
            "rank, so that the learning rate need not change with it",
        )


def _tell(model: Any, heads: Sequence[str], chooser: "Chooser") -> None:
    if heads:
        chooser.note("trained_whole", list(heads), "new in this model, so adapters do not suffice")
    whole, trained = sizes(model)
    chooser.note(
        "trainable_parameters",
        trained,
        f"adapters of rank {chooser.data.lora_rank}{' and what is new' if heads else ''}: "
        f"{trained / whole:.2%} of {whole:,} weights",
    )


def loading(task: "Task", device: str) -> dict[str, Any]:
    """Arguments for `from_pretrained` that the method needs: 4 bits for QLoRA, else 32.

    A checkpoint's own dtype may be bf16, which some CPUs compute 60 times slower.
    """
    if task.context.chooser.data.method != "qlora":
        return {"dtype": torch.float32}
    from transformers import BitsAndBytesConfig  # noqa: PLC0415

    bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
    compute = torch.bfloat16 if bf16 else torch.float16
    empty = task.empty_model()
    heads = _heads(empty, task)
    if (out := empty.get_output_embeddings()) is not None:
        heads += [path for path, module in empty.named_modules() if module is out]
    return {
        "dtype": compute,
        "device_map": {"": device},
        "quantization_config": BitsAndBytesConfig(  # type: ignore[no-untyped-call]
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=compute,
            llm_int8_skip_modules=heads or None,
        ),
    }

"""How a model is trained: all its weights, or adapters beside them (LoRA, QLoRA) by peft.

LoRA (Hu et al. 2021) leaves the weights W as they are and learns a low-rank change:
W + (alpha / rank) * B A. B begins at 0, so before the first step the model is its base.
QLoRA (Dettmers et al. 2023) does the same on a base that is kept in 4 bits.
"""

from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import torch
from transformers.pytorch_utils import Conv1D

from easymodel_nb import environment
from easymodel_nb.errors import FieldChange, Fix, Problem, StudioError, problem_error
from easymodel_nb.train.target_modules import (
    linear_layers,
    matches,
    rank_notes,
    targets,
    trained_whole,
    within,
)
from easymodel_nb.workflow.check_methods import method_problems

if TYPE_CHECKING:
    from easymodel_nb.train.planning import Chooser
    from easymodel_nb.train.tasks.task import Task

_TASK_TYPES = {
    "generation": "CAUSAL_LM",
    "seq2seq": "SEQ_2_SEQ_LM",
    "classification": "SEQ_CLS",
    "token_classification": "TOKEN_CLS",
}


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
    heads = trained_whole(model, task)
    names, _ = targets(model, data.target_modules, heads)
    trained = 0
    for path, module in linear_layers(model, heads).items():
        if any(matches(path, name) for name in names):
            trained += data.lora_rank * sum(module.weight.shape)
    for path, weight in model.named_parameters():
        trained += weight.numel() if any(within(path, head) for head in heads) else 0
    return whole, trained


# ------------------------------------------------------------ before the weights


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
    names, _ = targets(model, data.target_modules, trained_whole(model, task))
    return list(rank_notes(model, names, data.lora_rank))


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
    peft = _peft()
    heads = trained_whole(model, task)
    names, why = targets(model, chooser.data.target_modules, heads)
    if why is not None:
        chooser.set("target_modules", names, why)
    _choose_alpha(chooser)
    data = chooser.data
    if data.method == "qlora":
        model = peft.prepare_model_for_kbit_training(
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
    try:
        wrapped = peft.get_peft_model(model, peft.LoraConfig(**settings))
    except AttributeError as error:  # it asks the model for what other versions have
        raise _misfit(error) from error
    _tell(wrapped, heads, chooser)
    return wrapped


def _peft() -> Any:
    try:
        return import_module("peft")
    except ImportError as error:
        raise _misfit(error) from error


def _misfit(error: Exception) -> Exception:
    """The two libraries are of different times: transformers 5.23 needs peft 0.21, for one."""
    found = ", ".join(f"{name} {version(name)}" for name in ("peft", "transformers"))
    return problem_error(
        "method.peft",
        f"The installed peft does not fit transformers ({found}: {error}). Install newer ones "
        "with: pip install -U peft transformers, and restart the kernel; or use full fine-tuning.",
        field="method",
        fix=Fix(
            label="Use full fine-tuning",
            set=[FieldChange(node="", field="method", value="full")],
        ),
    )


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
    heads = trained_whole(empty, task)
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

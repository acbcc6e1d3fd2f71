"""Which modules of a model get adapters, and which are new and so are trained whole."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from torch import nn
from transformers.pytorch_utils import Conv1D

from easymodel_nb.errors import FieldChange, Fix, Problem, problem_error

if TYPE_CHECKING:
    from easymodel_nb.train.tasks.task import Task

ALL_LINEAR = "all-linear"  # a target module that means all of them, as in peft
_LISTED = 12  # names in a sentence
_ROUTERS = frozenset({"gate", "router", "shared_expert_gate"})  # of mixtures of experts
# Dettmers et al. 2023 (QLoRA, section 4 and figure 2), and Schulman and Thinking Machines Lab
# 2025 (LoRA Without Regret): attention alone, peft's own choice for most models, stays behind
# full fine-tuning also at a higher rank. On our built-in data and models it is the same.
_WHY_ALL = "adapters in the attention alone learn less, at any rank"


def linear_layers(model: Any, heads: Sequence[str]) -> dict[str, Any]:
    """The linear layers by path, without the heads: what adapters are put beside."""
    out = model.get_output_embeddings()
    tied = out is not None and out.weight is model.get_input_embeddings().weight
    return {
        path: module
        for path, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D))
        and not (module is out and (tied or _is_tied(model)))
        and not any(within(path, head) for head in heads)
    }


def _is_tied(model: Any) -> bool:
    return bool(getattr(model.config, "tie_word_embeddings", False))


def trained_whole(model: Any, task: "Task") -> list[str]:
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
    found += sorted(p for p in parents if p and not any(within(p, head) for head in found))
    if task.resized:
        rows = model.get_input_embeddings()
        found += [path for path, module in model.named_modules() if module is rows]
    return found


def within(path: str, parent: str) -> bool:
    """Whether a path of modules is another one, or lies in it."""
    return path == parent or path.startswith(f"{parent}.")


def matches(path: str, wanted: str) -> bool:
    """Whether peft takes that name for this module."""
    return path == wanted or path.endswith(f".{wanted}")


def targets(
    model: Any, wanted: list[str] | None, heads: Sequence[str]
) -> tuple[list[str], str | None]:
    """The names of the modules that get adapters, and why these where nobody chose them."""
    linear = linear_layers(model, heads)
    out = model.get_output_embeddings()
    inner = {path.rpartition(".")[2] for path, module in linear.items() if module is not out}
    every = sorted(inner - _ROUTERS)
    if wanted is None or wanted == [ALL_LINEAR]:
        return every, f"all linear layers of {type(model).__name__} but the head: {_WHY_ALL}"
    missing = [name for name in wanted if not any(matches(path, name) for path in linear)]
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
        f"{what} The model has: {_listed(every)}. Name some of these, or leave the field empty "
        "to have them chosen.",
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


def rank_notes(model: Any, names: Sequence[str], rank: int) -> Iterator[Problem]:
    """A change of a matrix has at most as many ranks as its shorter side is wide."""
    chosen = [
        module
        for path, module in model.named_modules()
        if isinstance(module, (nn.Linear, Conv1D)) and any(matches(path, n) for n in names)
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

"""What a step holds: never all logits in chunks, and of frozen weights no copy."""

from typing import Any

import peft
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import LlamaConfig, LlamaForCausalLM

from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.plan import HeadPlan
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.tasks.generation import Generation
from easymodel_nb.train.tasks.task import Context, Example
from easymodel_nb.workflow.document import FinetuneData

WORDS, WIDTH, PROMPT = 97, 16, 3
LENGTHS = (9, 17, 5)
TARGETS = sum(length - PROMPT for length in LENGTHS)


class _Shapes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Every shape that an operation gave a tensor of its own, forwards and backwards."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.made: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        found = func(*args, **(kwargs or {}))
        given = {a.untyped_storage().data_ptr() for a in args if isinstance(a, torch.Tensor)}
        if isinstance(found, torch.Tensor) and found.untyped_storage().data_ptr() not in given:
            self.made.append(tuple(found.shape))
        return found


def _model() -> Any:
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "vocab_size": WORDS, "hidden_size": WIDTH, "intermediate_size": 24,
        "num_hidden_layers": 1, "num_attention_heads": 2, "tie_word_embeddings": False,
    }  # fmt: skip
    return LlamaForCausalLM(LlamaConfig(**sizes))


def _made(model: Any, plan: HeadPlan) -> list[tuple[int, ...]]:
    task = Generation(Context(Chooser(FinetuneData()), None, None))  # type: ignore[arg-type]
    rows = [torch.randint(3, WORDS, (length,)).tolist() for length in LENGTHS]
    batch = task.collate([Example(row, [-100] * PROMPT + row[PROMPT:]) for row in rows])
    seen = _Shapes()
    with seen:
        loss, count = Objective(task, model, plan)(model, batch)
        torch.autograd.backward(loss / count)
    return seen.made


def _logits(made: list[tuple[int, ...]]) -> int:
    """Rows of the largest tensor of logits."""
    shapes = [shape for shape in made if shape and shape[-1] == WORDS]
    return max(int(torch.Size(shape).numel()) // WORDS for shape in shapes)


@pytest.mark.parametrize(
    ("plan", "rows"),
    [
        (HeadPlan(), len(LENGTHS) * max(LENGTHS)),
        (HeadPlan(at="targets"), TARGETS),
        (HeadPlan(at="targets", rows=4), 4),
    ],
)
def test_there_are_never_more_logits_than_the_plan_says(plan: HeadPlan, rows: int) -> None:
    made = _made(_model(), plan)
    assert _logits([shape for shape in made if shape != (WIDTH, WORDS)]) == rows


def test_of_weights_that_are_not_trained_nothing_is_copied() -> None:
    settings: Any = {"r": 2, "target_modules": ["q_proj"]}
    model: Any = peft.get_peft_model(_model(), peft.LoraConfig(task_type="CAUSAL_LM", **settings))
    made = _made(model, HeadPlan(at="targets", rows=4))
    whole = {tuple(w.shape) for w in model.parameters() if not w.requires_grad and w.dim() > 1}
    assert {(WORDS, WIDTH), (24, WIDTH)} <= whole
    assert not whole & set(made)

"""How a run lays its rows out: found out on its own model and rows, never taken on trust.

A few rows and the longest go through the model side by side with a mask, as everybody trains, and
in the cheaper ways. Only where each token comes out the same is the cheaper way taken.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.metrics.memory import out_of_memory
from easymodel_nb.metrics.perplexity import IGNORED, eval_mode
from easymodel_nb.train.batches.documents import UnfitError
from easymodel_nb.train.batches.layout import Layout
from easymodel_nb.train.batches.padded import Batch
from easymodel_nb.train.batches.positions import Counting
from easymodel_nb.train.batches.sides import Biased
from easymodel_nb.train.objective.head import head_of
from easymodel_nb.train.plan import BatchPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.tasks.task import Task

_ROWS = 3  # that are tried beside the longest
_NEAR = {"fp32": 1e-3}  # how far a token may come out apart, of the usual size of one
_NEAR_IN_16_BITS = 3e-2
_KINDS = {"bf16": torch.bfloat16, "fp16": torch.float16}
_WORDS = {
    "flat": "rows end to end, without padding",
    "budgeted": "rows of like length together, as many tokens in each batch",
}


def choose(ready: Preparation, model: Any) -> BatchPlan:
    """Note how rows are drawn and laid out, and why; the model stays as it is."""
    chooser, lengths = ready.chooser, ready.lengths
    longest = max(range(len(lengths)), key=lengths.__getitem__)
    first = [place for place in range(min(_ROWS + 1, len(lengths))) if place != longest]
    rows = [ready.prepared.train[place] for place in [longest, *first[:_ROWS]]]
    plan, why = find(ready.task, model, rows, str(chooser.data.precision))
    chooser.note("batches", _WORDS["flat" if plan.layout == "flat" else "budgeted"], why)
    chooser.batches = plan
    return plan


def promises(task: Task, model: Any) -> bool:
    """Whether a model's class says that it reads rows end to end; it needs no weights.

    A decoder that answers once a row looks for the row's last token among its ids.
    """
    able = bool(getattr(model, "_supports_attention_backend", False))
    if getattr(model.config, "is_encoder_decoder", False):
        known = Biased(model).promised or Counting(model).promised
        able = known and bool(getattr(model, "_supports_sdpa", False))
    return able and not (task.answers_rows and hasattr(model, "score"))


def find(
    task: Task, model: Any, rows: Sequence[Any], precision: str = "fp32"
) -> tuple[BatchPlan, str]:
    """The cheapest way in which these rows come out as in the plain one, and why it is it."""
    rows = sorted(rows, key=len, reverse=True)  # the order in which they lie end to end
    name, refused = type(model).__name__, ""
    with eval_mode(model), torch.no_grad(), _precision(model, precision):
        plain = _tried(task, model, rows, BatchPlan())
        for plan in _flat(task, model, len(rows[0])):
            try:
                found = _tried(task, model, rows, plan)
            except Exception as error:
                if out_of_memory(error):
                    raise
                refused = str(error) if isinstance(error, UnfitError) else "it fails"
                continue
            if _same(plain, found, precision):
                return plan, "each row comes out as by itself, tried on the first and the longest"
            refused = refused or "they come out otherwise"
        mask = _mask(task, model, rows, plain, precision)
    plan = BatchPlan(order="budgeted", mask=mask)
    least = "less than 5 % of what is computed is padding"
    return plan, f"{least}; {name} does not read rows end to end: {refused}" if refused else least


def _flat(task: Task, model: Any, longest: int) -> list[BatchPlan]:
    """The ways of laying rows end to end, by where the model counts positions from."""
    starts = [0]
    positions = getattr(model.config, "max_position_embeddings", None) or 0
    if 0 < task.padding_id + 1 <= positions - longest:
        starts.append(task.padding_id + 1)  # RoBERTa and its kin
    return [
        BatchPlan(order="shuffled", layout="flat", mask="never", first_position=start)
        for start in starts
    ]


def _mask(task: Task, model: Any, rows: Sequence[Any], plain: torch.Tensor, precision: str) -> Any:
    """When a mask is given: where it says nothing the model computes more for it."""
    never = BatchPlan(order="budgeted", mask="never")
    needed = BatchPlan(order="budgeted", mask="where needed")
    try:
        # Padding stands behind what a causal model reads; of another one it would be read.
        if _same(plain, _tried(_Padding(task), model, rows, never), precision):
            return "never"
        alone = [_tried(task, model, rows[:1], way) for way in (BatchPlan(), needed)]
        if _same(alone[0], alone[1], precision):
            return "where needed"
    except Exception as error:
        if out_of_memory(error):
            raise
    return "always"


@contextmanager
def _precision(model: Any, name: str) -> Iterator[None]:
    kind, device = _KINDS.get(name), model.device.type
    with torch.autocast(device, kind) if kind is not None else nullcontext():
        yield


class _Padding:
    """A task whose rows all have padding, also where they are alike or one is by itself."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def __getattr__(self, name: str) -> Any:
        return getattr(self._task, name)

    def collate(self, examples: Sequence[Any]) -> Batch:
        """One column more than the longest needs."""
        batch = self._task.collate(examples)
        nothing = {"input_ids": self._task.padding_id, "labels": IGNORED}
        shape = batch["attention_mask"].shape
        return {
            name: F.pad(value, (0, 1), value=nothing.get(name, 0))
            if value.shape == shape
            else value
            for name, value in batch.items()
        }


def _tried(task: Any, model: Any, rows: Sequence[Any], plan: BatchPlan) -> torch.Tensor:
    """What reaches the last layer of a language model, or a head's answers, (tokens or rows, n)."""
    layout, head = Layout(task, model, plan), head_of(model)
    there = _answered(task.collate(rows))
    batch = layout.collate(rows)
    batch.pop("labels", None)
    inputs = {name: value.to(model.device) for name, value in batch.items()}
    reached: list[torch.Tensor] = []

    def look(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        reached.append(args[0])
        return (args[0][:, :1], *args[1:])  # nobody reads so many logits

    handle = head.register_forward_pre_hook(look) if head is not None else None
    try:
        with layout.computing():
            logits = model(**layout.inputs(inputs)).logits
    finally:
        if handle is not None:
            handle.remove()
    found = reached[-1] if reached else logits
    if found.dim() > there.dim() and found.shape[:2] == there.shape:  # not as many classes
        found = found[there.to(found.device)]
    elif plan.layout == "flat" and not task.answers_rows:
        found = found[0]
    return found.flatten(1).float()


def _answered(batch: Batch) -> torch.Tensor:
    """Where the model answers tokens, (rows, longest) of booleans; of pairs, those of targets."""
    pairs = "decoder_input_ids" in batch
    there: torch.Tensor = batch["labels"] != IGNORED if pairs else batch["attention_mask"].bool()
    return there


def _same(plain: torch.Tensor, other: torch.Tensor, precision: str) -> bool:
    """Whether every token comes out alike up to rounding; what is no number is like nothing."""
    if plain.shape != other.shape:
        return False
    usual = plain.norm(dim=1).mean()
    apart = (plain - other).norm(dim=1).max()
    near = _NEAR.get(precision, _NEAR_IN_16_BITS)
    return bool(torch.isfinite(apart) and apart <= near * usual)

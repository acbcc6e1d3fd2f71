"""Trains the rows of an input embedding that the training data's tokens use, and no others.

The row of a token that no training row holds has a gradient of exactly zero at each step: AdamW
leaves it as it is, but for the weight decay. To fill the gradient of a whole embedding with zeros,
to take its norm and to step it was a sixth of a small encoder's step, and three times its memory.
So the used rows are a weight of their own, which the optimizer steps in place of the embedding's;
after each step they are written back, so that outside of steps the model is the model.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812  its usual name

from easymodel_nb.errors import problem_error
from easymodel_nb.train import methods
from easymodel_nb.train.embedding.used import Ids, digest, ids_of
from easymodel_nb.train.plan import EmbeddingPlan
from easymodel_nb.train.tasks.task import Task

_MOMENTS = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")  # of AdamW, a number a weight


def plain_embedding(model: Any) -> torch.nn.Embedding | None:
    """The model's input embedding; None where its rows cannot be trained by themselves.

    It must be PyTorch's own in 32 bits, trained, and its weight used nowhere else. A model on no
    device answers as well.
    """
    if methods.is_adapted(model) or getattr(model.config, "is_encoder_decoder", False):
        return None
    try:
        module = model.get_input_embeddings()
    except (AttributeError, NotImplementedError):
        return None
    if type(module) is not torch.nn.Embedding or {"forward", "_hf_hook"} & vars(module).keys():
        return None
    weight = module.weight
    named = model.named_parameters(remove_duplicate=False)
    holders = {name.rpartition(".")[0] for name, held in named if held is weight}
    alone = all(model.get_submodule(holder) is module for holder in holders)
    fits = type(weight) is torch.nn.Parameter and weight.dtype == torch.float32
    special = module.max_norm is not None or module.scale_grad_by_freq or module.sparse
    return module if alone and fits and weight.requires_grad and not special else None


def used_rows(
    task: Task, model: Any, plan: EmbeddingPlan, rows: Sequence[Any]
) -> "UsedRows | None":
    """What trains the rows of the plan; `rows` are all that the run trains on.

    Raises
    ------
    StudioError
        When the rows hold other tokens than when the plan was made: what the optimizer remembers
        would be of others.

    """
    if plan.rows is None:
        return None
    ids, module = ids_of(rows, task.padding_id), plain_embedding(model)
    if module is None or digest(ids) != plan.ids:
        raise problem_error(
            "resume.tokens_changed",
            f"The training rows were {plan.rows:,} different tokens when this run began and are "
            f"{len(ids):,} now, or others: the tokenizer or the model's code has changed since. "
            "Put it back as it was and resume, or train again as a new run.",
            field="source",
        )
    return UsedRows(module, ids)


class UsedRows:
    """The rows of one embedding for the time of one training."""

    rows: torch.nn.Parameter  # (used tokens, hidden size), once there is an optimizer

    def __init__(self, module: torch.nn.Embedding, ids: Ids) -> None:
        self._module: Any = module
        self._whole = module.weight
        self._alone = False
        self._ids = torch.from_numpy(ids).to(self._whole.device)
        # An unknown token has no place: to look it up is an error, never the row of another.
        self._places = torch.full((len(self._whole),), len(ids), device=self._whole.device)
        self._places[self._ids] = torch.arange(len(ids), device=self._whole.device)
        padding = module.padding_idx
        place = len(ids) if padding is None else int(self._places[padding])
        self._padding = place if place < len(ids) else None

    def adopt(self, optimizer: Any, *, alone: bool = True) -> None:
        """Let a new optimizer step these rows in place of the weight, as the model has them now.

        Not `alone`: other processes train too, and it keeps the weight; only what was saved of
        the rows is spread over all.
        """
        self._alone = alone
        for index, (group, place) in enumerate(_places(optimizer)):
            if group["params"][place] is not self._whole:
                continue
            if alone:
                self.rows = torch.nn.Parameter(self._whole.detach()[self._ids])
                group["params"][place] = self.rows
                optimizer.register_step_post_hook(self._write_back)
            optimizer.register_load_state_dict_pre_hook(
                lambda _, saved, index=index: self._fitted(saved, index)
            )

    def trained(self, weights: Iterable[torch.nn.Parameter]) -> list[torch.nn.Parameter]:
        """The weights that get a gradient, of those that are trained."""
        weights = list(weights)
        if not self._alone:
            return weights
        return [self.rows if weight is self._whole else weight for weight in weights]

    @contextmanager
    def computing(self) -> Iterator[None]:
        """While a batch is computed, forwards and backwards, the embedding looks up in these."""
        if not self._alone:
            yield
            return
        vars(self._module)["forward"] = self._look_up
        try:
            yield
        finally:
            vars(self._module).pop("forward", None)

    def _look_up(self, ids: torch.Tensor) -> torch.Tensor:
        return F.embedding(self._places[ids], self.rows, self._padding)

    @torch.no_grad()
    def _write_back(self, optimizer: Any, *_: Any) -> None:
        """The embedding after a step: the rows, and what weight decay does to the others."""
        if self.rows.grad is None:
            return
        group = next(g for g, at in _places(optimizer) if g["params"][at] is self.rows)
        if group["weight_decay"]:
            shrink: Any = 1 - group["lr"] * group["weight_decay"]
            skipped = getattr(optimizer, "found_inf", None)  # the fused kernels look for it too
            if skipped is not None:
                shrink = torch.where(skipped > 0, 1.0, shrink)
            self._whole.mul_(shrink)
        self._whole.index_copy_(0, self._ids, self.rows)

    def _fitted(self, saved: dict[str, Any], index: int) -> dict[str, Any]:
        """The state of an optimizer, where the run goes on with more or fewer processes.

        What AdamW remembers of the other rows is zero.
        """
        state = saved["state"].get(index, {})
        rows = len(self._ids) if self._alone else len(self._whole)
        changed = dict[str, torch.Tensor]()
        for name in _MOMENTS:
            known = state.get(name)
            if known is None or len(known) == rows:
                continue
            ids = self._ids.to(known.device)
            if self._alone:
                changed[name] = known[ids]
            else:
                changed[name] = known.new_zeros(rows, *known.shape[1:]).index_copy_(0, ids, known)
        return saved | {"state": {**saved["state"], index: state | changed}} if changed else saved


def _places(optimizer: Any) -> Iterator[tuple[dict[str, Any], int]]:
    """Where an optimizer has its weights, in the order of their states."""
    for group in optimizer.param_groups:
        for place in range(len(group["params"])):
            yield group, place


def idle_weights(model: Any, plan: EmbeddingPlan) -> int:
    """How many trained weights have no gradient and no moments."""
    module = plain_embedding(model) if plan.rows is not None else None
    if module is None or plan.rows is None:
        return 0
    return (module.num_embeddings - plan.rows) * module.embedding_dim

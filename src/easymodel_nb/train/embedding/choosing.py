"""Which rows of the input embedding a run trains: found out on its own model and rows.

Its training must be that of all rows. So one pass with the used rows alone is made, whose loss must
come from them and reach the embedding's own weight nowhere: a model may use it for other things.
"""

from collections.abc import Sequence
from typing import Any

import torch

from easymodel_nb.metrics.memory import out_of_memory
from easymodel_nb.metrics.perplexity import eval_mode
from easymodel_nb.train.distributed.runner import count
from easymodel_nb.train.embedding.rows import UsedRows, plain_embedding
from easymodel_nb.train.embedding.used import Ids, digest
from easymodel_nb.train.objective.objective import Objective
from easymodel_nb.train.plan import EmbeddingPlan, HeadPlan
from easymodel_nb.train.preparation import Preparation
from easymodel_nb.train.tasks.task import Task

ALL = EmbeddingPlan()
_SHARE = 0.5  # of the rows, at most: where most are used there is little to save
_ROWS = 2  # that are tried


def choose(ready: Preparation, model: Any) -> EmbeddingPlan:
    """Note which rows are trained, and why; the model stays as it is."""
    chooser, plan = ready.chooser, ALL
    if count(ready.request) == 1 and plain_embedding(model) is not None:
        plan = find(ready.task, model, ready.prepared.train, ready.used_ids, chooser.head)
    if plan.rows is not None:
        rows = model.get_input_embeddings().num_embeddings
        others = "only shrink by the weight decay" if chooser.data.weight_decay else "not change"
        chooser.note(
            "embedding",
            f"{plan.rows:,} of {rows:,} rows",
            f"the tokens of the training data; the others would {others}, which takes no gradients",
        )
    chooser.embedding = plan
    return plan


def expected(ready: Preparation, model: Any) -> EmbeddingPlan:
    """What `choose` will find, from the shapes of the model alone; it may have no weights."""
    if ready.chooser.data.method != "full" or count(ready.request) > 1:
        return ALL
    return _fewer(plain_embedding(model), ready.used_ids)


def find(task: Task, model: Any, rows: Sequence[Any], ids: Ids, head: HeadPlan) -> EmbeddingPlan:
    """The used rows, where training them alone is the same; `ids` are the tokens of `rows`."""
    module = plain_embedding(model)
    plan = _fewer(module, ids)
    if module is None or plan.rows is None:
        return ALL
    some = [rows[place] for place in range(min(_ROWS, len(rows)))]
    batch = {name: value.to(model.device) for name, value in task.collate(some).items()}
    try:
        same = _same(Objective(task, model, head), model, batch, UsedRows(module, ids))
    except Exception as error:
        if out_of_memory(error):
            raise
        return ALL
    return plan if same else ALL


def _fewer(module: torch.nn.Embedding | None, ids: Ids) -> EmbeddingPlan:
    if module is None or ids[-1] >= module.num_embeddings:
        return ALL
    if len(ids) > _SHARE * module.num_embeddings:
        return ALL
    return EmbeddingPlan(rows=len(ids), ids=digest(ids))


def _same(objective: Objective, model: Any, batch: dict[str, Any], used: UsedRows) -> bool:
    """Whether the loss reaches the used rows, and nothing else of the embedding.

    Nothing is kept for a backward pass: how the loss came about is known without.
    """
    whole = model.get_input_embeddings().weight
    used.adopt(torch.optim.SGD([whole]))
    kept_none = torch.autograd.graph.saved_tensors_hooks(lambda _: None, _unkept)
    with eval_mode(model), torch.enable_grad(), kept_none, used.computing():
        loss, _ = objective(model, batch)
    return _reaches(loss, used.rows) and not _reaches(loss, whole)


def _unkept(_: Any) -> torch.Tensor:
    raise RuntimeError("nothing was kept")


def _reaches(loss: torch.Tensor, weight: torch.Tensor) -> bool:
    """Whether a gradient of the loss would flow into a weight."""
    seen, left = set[Any](), [loss.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        if getattr(node, "variable", None) is weight:
            return True
        seen.add(node)
        left += [before for before, _ in node.next_functions]
    return False

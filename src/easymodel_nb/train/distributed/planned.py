"""What a plan says of the processes that share the rows of its batches."""

from easymodel_nb.errors import FieldChange, Fix, problem_error
from easymodel_nb.train.distributed.world import here
from easymodel_nb.train.plan import Choice, RunPlan


def on_processes(plan: RunPlan) -> RunPlan:
    """The plan with the number of processes there are now.

    Raises
    ------
    StudioError
        When a batch has fewer rows than there are processes.

    """
    world = here()
    size = world.size if world is not None else 1
    rows = plan.finetune.batch_size
    if size > rows:
        raise problem_error(
            "distributed.rows",
            f"A batch of {rows} rows leaves {size - rows} of {size} processes without one. Set the "
            f"batch size to {size} or more, or use {rows} processes.",
            node=plan.node_id,
            field="batch_size",
            fix=Fix(
                label=f"Set batch size to {size}",
                set=[FieldChange(node=plan.node_id, field="batch_size", value=size)],
            ),
        )
    told = []
    if size > 1:
        why = f"the {rows} rows of a batch are split over them; the result is that of one"
        told.append(Choice(field="processes", value=size, reason=why))
    if world is not None and world.sharding:
        why = "as it was started; logits are computed at once, and no steps are tried before"
        told.append(Choice(field="sharding", value="FSDP", reason=why))
    others = [choice for choice in plan.choices if choice.field not in {"processes", "sharding"}]
    now = plan.model_copy(
        update={
            "processes": size,
            "finetune": plan.finetune.model_copy(update={"processes": size}),
            "choices": [*others, *told],
        }
    )
    return plan if now == plan else now

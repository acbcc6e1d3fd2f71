"""Fills every open value of a request, with the reason of each choice."""

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from easymodel_nb import environment
from easymodel_nb.train import precision
from easymodel_nb.train.cores import free_cores
from easymodel_nb.train.data.fingerprint import fingerprint
from easymodel_nb.train.plan import (
    BatchPlan,
    Choice,
    CodePlan,
    DatasetPlan,
    EmbeddingPlan,
    HeadPlan,
    ModelPlan,
    RunPlan,
)
from easymodel_nb.trust.permits import Permit
from easymodel_nb.workflow.document import FinetuneData

if TYPE_CHECKING:
    from easymodel_nb.train.control import Control
    from easymodel_nb.train.preparation import Preparation
    from easymodel_nb.train.splits import Splits

MIN_POINTS = 6
_NO_LIMIT = 10_000_000  # tokenizers without a limit name a huge number
_PADDED_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet", "longformer", "data2vec-text")
_ADAPTER_RATE = 10  # times the learning rate of full fine-tuning


@dataclass(frozen=True)
class Schedule:
    """How many steps are trained, and after which the model is measured."""

    max_steps: int
    eval_steps: list[int]


class Chooser:
    """Collects choices while the open fields are filled."""

    def __init__(self, data: FinetuneData) -> None:
        self.data = data
        self.choices: list[Choice] = []
        self.head = HeadPlan()  # until it was tried on the model
        self.batches = BatchPlan()  # the same
        self.embedding = EmbeddingPlan()  # the same

    def set(self, field: str, value: Any, reason: str) -> None:
        """Fill or change a field and note why."""
        self.data = self.data.model_copy(update={field: value})
        self.note(field, value, reason)

    def replace(self, field: str, value: Any, reason: str) -> None:
        """Change a field that was filled before: the earlier choice no longer counts."""
        self.choices = [choice for choice in self.choices if choice.field != field]
        self.set(field, value, reason)

    def note(self, field: str, value: Any, reason: str) -> None:
        """Note a choice that is no field of the document."""
        self.choices.append(Choice(field=field, value=value, reason=reason))


def note_splits(chooser: Chooser, splits: "Splits") -> None:
    """Which splits were chosen, where the document leaves them open."""
    if splits.train_reason:
        chooser.note("train_split", splits.train_name, splits.train_reason)
    if splits.eval_reason:
        chooser.note("eval_split", splits.eval_name, splits.eval_reason)


def positions(config: Any, tokenizer: Any) -> int | None:
    """How many tokens the model can read at once, if it says."""
    found = [
        getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None),
        getattr(tokenizer, "model_max_length", None),
    ]
    if found[0] and getattr(config, "model_type", "") in _PADDED_POSITIONS:
        found[0] -= (config.pad_token_id or 0) + 1
    if getattr(config, "is_encoder_decoder", False) and not hasattr(
        config, "max_position_embeddings"
    ):
        found = [None]  # relative positions: what its tokenizer says is only a habit
    known = [int(n) for n in found if n and n < _NO_LIMIT]
    return min(known) if known else None


def fit_to_model(chooser: Chooser, positions: int | None) -> None:
    """No text may be longer than the model has positions."""
    if positions is not None and chooser.data.max_length > positions:
        chooser.set("max_length", positions, f"the model has {positions:,} positions")


def fill_training(
    chooser: Chooser,
    *,
    rates: Sequence[tuple[float, float]],
    parameters: int,
    device: environment.Device,
    rows: int,
) -> None:
    """The values that depend on the model's size, the device and the number of rows."""
    data = chooser.data
    if data.subset_size is None:
        chooser.set("subset_size", rows, "all rows of the train split")
    if data.learning_rate is None:
        chooser.set("learning_rate", *_rate(rates, parameters, data.method))
    chosen = precision.choose(data.precision, device)
    if chosen is not None:
        chooser.set("precision", *chosen)
    if data.gradient_checkpointing is None:
        why = "it saves memory but costs time: only where memory runs out"
        chooser.set("gradient_checkpointing", value=False, reason=why)


def _rate(rates: Sequence[tuple[float, float]], parameters: int, method: str) -> tuple[float, str]:
    """The usual learning rate for a model of that size.

    Adapters learn best at about ten times the rate of full fine-tuning, whatever the model
    (Schulman and Thinking Machines Lab, "LoRA Without Regret", 2025); for 7 B weights this
    gives the 2e-4 of QLoRA (Dettmers et al. 2023, table 9).
    """
    rate = next(rate for limit, rate in rates if parameters <= limit)
    size = f"{parameters / 1e6:,.3g} M weights"
    if method == "full":
        return rate, f"usual for full fine-tuning of {size}"
    rate = float(f"{rate * _ADAPTER_RATE:.3g}")
    return rate, f"usual for adapters on {size}: ten times that of full fine-tuning"


def choose_threads(chooser: Chooser, device: environment.Device, control: "Control") -> None:
    """Compute with the cores that are free, where the user has not said with how many."""
    if device.kind == "cpu" and not os.environ.get("OMP_NUM_THREADS"):
        import torch  # noqa: PLC0415

        threads, why = control.interruptible(free_cores)
        torch.set_num_threads(threads)
        chooser.note("threads", threads, why)


def measured_steps(epochs: int, steps_per_epoch: int) -> list[int]:
    """The steps after which the model is measured: every epoch's end, and in between.

    Together with step 0 there are at least 6 points where there are steps enough.
    """
    per_epoch = min(steps_per_epoch, max(1, math.ceil((MIN_POINTS - 1) / epochs)))
    return sorted(
        {
            epoch * steps_per_epoch + round(part * steps_per_epoch / per_epoch)
            for epoch in range(epochs)
            for part in range(1, per_epoch + 1)
        }
    )


def progress_steps(max_steps: int) -> Iterator[int]:
    """The steps that get a progress line: the first, the last, and about 300 between."""
    every = max(1, math.ceil(max_steps / 300))
    return (step for step in range(1, max_steps + 1) if step in {1, max_steps} or step % every == 0)


def finish(
    run_id: str,
    ready: "Preparation",
    model: Any,
    device: environment.Device,
    schedule: Schedule | None = None,
) -> RunPlan:
    """The frozen plan; `schedule` None: all epochs, measured at their ends and in between."""
    from easymodel_nb.train import methods  # noqa: PLC0415  it imports PyTorch

    parameters, trainable = methods.sizes(model)
    data, prepared = ready.chooser.data, ready.prepared
    per_epoch = steps_per_epoch(data, len(prepared.train))
    if schedule is None:
        schedule = Schedule(per_epoch * data.epochs, measured_steps(data.epochs, per_epoch))
    source = ready.request["model"]
    return RunPlan(
        run_id=run_id,
        node_id=ready.node,
        request=ready.request,
        task=data.task,
        method=data.method,
        finetune=data,
        model=ModelPlan(
            source=source.get("data", {}).get("source", ""),
            run_of=source.get("run_of"),
            name=ready.model_folder.name,
            kind=ready.model_folder.kind,
            path=str(ready.model_folder.path),
            revision=ready.model_folder.revision,
            architecture=type(methods.bare(model)).__name__,
            parameters=parameters,
            trainable=trainable,
            positions=ready.positions,
            code=_code(ready.model_folder.permit),
        ),
        dataset=DatasetPlan(
            source=ready.dataset.source,
            name=ready.tables.name,
            kind=ready.tables.kind,
            revision=ready.tables.revision,
            fingerprint=fingerprint(ready.drawn.train),
            eval_fingerprint=fingerprint(ready.drawn.evaluation),
            train_split=ready.splits.train_name,
            eval_split=ready.splits.eval_name,
            train_rows=prepared.train_rows,
            eval_rows=prepared.eval_rows,
            dropped_rows=ready.drawn.dropped_rows + prepared.dropped_rows,
            duplicate_rows=ready.drawn.duplicates,
            overlap_rows=ready.drawn.overlap,
        ),
        epochs=data.epochs,
        train_examples=len(prepared.train),
        steps_per_epoch=per_epoch,
        max_steps=schedule.max_steps,
        eval_steps=schedule.eval_steps,
        sample_prompts=prepared.prompts,
        max_new_tokens=prepared.max_new_tokens,
        device=device.name,
        choices=ready.chooser.choices,
        head=ready.chooser.head,
        batches=ready.chooser.batches,
        embedding=ready.chooser.embedding,
    )


def steps_per_epoch(data: FinetuneData, examples: int) -> int:
    """Optimizer steps that go once through all examples."""
    return math.ceil(math.ceil(examples / data.batch_size) / data.gradient_accumulation)


def _code(permit: Permit) -> CodePlan | None:
    if permit.code is None or permit.origin is None:
        return None
    origin = permit.origin
    return CodePlan(repo=origin.repo, commit=origin.commit, files=dict(permit.code))

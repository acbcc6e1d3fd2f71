"""What base and tuned of a run answer to a text of the user's.

Both read the text as the run did and write greedily as its samples were written. It imports
PyTorch, and nothing of it touches the run's files.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from transformers import StoppingCriteria, StoppingCriteriaList

from easymodel_nb import builtin
from easymodel_nb.errors import problem_error
from easymodel_nb.runlog import adapters
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.tried import Answer
from easymodel_nb.train import tasks
from easymodel_nb.train.generate import generate
from easymodel_nb.train.planning import Chooser
from easymodel_nb.train.tasks.chat_template import plain_template
from easymodel_nb.train.tasks.classification import Classification
from easymodel_nb.train.tasks.heads import HeadTask
from easymodel_nb.train.tasks.labels import Labels
from easymodel_nb.train.tasks.task import Context, Task
from easymodel_nb.train.trying_inputs import roles_of, sample_of, text_of, windows_of, words_of
from easymodel_nb.trust import loading, permits
from easymodel_nb.workflow.document import FinetuneData

NEW_HEAD = "Its head was new: before training it knew none of these labels."
_TELL_SECONDS = 0.2
_LABELS = 10  # with their probabilities
_BUILTIN = "builtin:"

Tell = Callable[[Answer], None]
Stopping = Callable[[], bool]


class _Watched(StoppingCriteria):
    """Tells what is written so far, and ends it when asked to."""

    def __init__(self, tokenizer: Any, start: int, tell: Tell, stopping: Stopping) -> None:
        self._tokenizer, self._start = tokenizer, start
        self._tell, self._stopping = tell, stopping
        self._told = time.monotonic()

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> Any:  # noqa: ARG002
        now = time.monotonic()
        if now - self._told >= _TELL_SECONDS:
            self._told = now
            new = input_ids[0, self._start :].tolist()
            text = self._tokenizer.decode(new, skip_special_tokens=True)
            self._tell(Answer(text=text, tokens=len(new)))
        return torch.full((len(input_ids),), self._stopping(), device=input_ids.device)


@dataclass
class Side:
    """One model of a run, ready to answer; `without` leaves its adapters out meanwhile."""

    task: Task
    model: Any
    ends: frozenset[int] = frozenset()
    without: Callable[[], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext

    def answer(self, text: str, pair: str, tell: Tell, stopping: Stopping) -> Answer:
        """What the model answers.

        Raises
        ------
        StudioError
            When the model cannot read the text.

        """
        data = self.task.context.chooser.data
        with self.without(), torch.inference_mode():
            if self.task.writes:
                return self._written(data, text, tell, stopping)
            head = cast("HeadTask", self.task)
            if data.task == "token_classification":
                return _tagged(head, self.model, data, text)
            return _labelled(head, self.model, data, [text, pair] if pair else [text])

    def _written(self, data: FinetuneData, text: str, tell: Tell, stopping: Stopping) -> Answer:
        tokenizer = self.task.context.tokenizer
        sample = sample_of(tokenizer, data, text)
        known = self.model.get_input_embeddings().num_embeddings
        if max(sample.ids) >= known:
            raise problem_error(
                "try.tokens", "This text holds tokens that were added for training alone."
            )
        apart = bool(getattr(self.model.config, "is_encoder_decoder", False))
        watched = _Watched(tokenizer, 1 if apart else len(sample.ids), tell, stopping)
        (row,) = generate(
            self.model,
            tokenizer,
            [sample],
            data.max_new_tokens or 1,
            lambda _: None,
            ends=self.ends,
            stopping_criteria=StoppingCriteriaList([watched]),
        )
        ended = "stopped" if stopping() and row["ended"] != "eos" else row["ended"]
        return Answer(text=row["text"], tokens=row["tokens"], ended=ended, done=True)


def _labelled(task: HeadTask, model: Any, data: FinetuneData, texts: list[str]) -> Answer:
    """The labels with their probabilities, the likeliest first."""
    text = text_of(task.context.tokenizer, data, texts, task.padding_id)
    several = isinstance(task, Classification) and task.labels.several
    if several:
        text = type(text)(text.ids, text.types, [0.0] * len(task.names))
    logits = torch.from_numpy(task.logits(model, [text])[0])
    chances = (logits.sigmoid() if several else logits.softmax(dim=0)).tolist()
    found = sorted(zip(task.names, chances, strict=True), key=lambda label: -label[1])
    chosen = [name for name, chance in found if chance > 0.5] if several else [found[0][0]]  # noqa: PLR2004
    named = ", ".join(chosen) or "no label"
    return Answer(text=named, labels=tuple(found[:_LABELS]), done=True)


def _tagged(task: HeadTask, model: Any, data: FinetuneData, text: str) -> Answer:
    """Each word with its likeliest tag."""
    words = words_of(text)
    if not words:
        raise problem_error("try.empty", "There is no word in this text.")
    cut = windows_of(task.context.tokenizer, data, words)
    tags = [
        task.names[int(place)]
        for window, logits in zip(cut, task.logits(model, cut), strict=True)
        for place in logits[window.places].argmax(axis=1)
    ]
    return Answer(words=tuple(zip(words, tags, strict=True)), done=True)


# ------------------------------------------------------------ loading


def load_tuned(run: Run, device: str) -> Side:
    """The trained model of a run.

    Raises
    ------
    StudioError
        When the run has no model, or the base of its adapters is no longer there.

    """
    model, tokenizer = run.load()
    task = _task(run, tokenizer, device, names_from=model.config)
    if getattr(model, "hf_device_map", None) is None:
        model = model.to(device)
    return Side(task, model.eval(), _ends(model) if task.writes else frozenset())


def load_base(run: Run, device: str, tuned: Side | None) -> Side:
    """The model that the run began with, on the same device as the tuned one.

    Adapters that are kept alone share the base: then both are one model. `tuned` is None while
    the run trains.

    Raises
    ------
    StudioError
        When the base cannot answer: why.

    """
    if tuned is not None:
        path = run.model_path
        if path is not None and adapters.holds_adapters_alone(path):
            _refuse_new_head(tuned.task)
            return Side(tuned.task, tuned.model, tuned.ends, tuned.model.disable_adapter)
    where = base_path(run)
    permit = permits.permit_of_run(run.folder, where, run.plan)
    config = loading.config(where, permit)
    if tuned is not None:
        task = _task(run, tuned.task.context.tokenizer, device, names_from=tuned.model.config)
        task.context.config = config
    else:
        task = _task(run, loading.tokenizer(where, permit), device, names_from=config)
        tokenizer = task.context.tokenizer
        task.ready_tokenizer()
        if task.context.roles.messages is not None and not tokenizer.chat_template:
            tokenizer.chat_template = plain_template(tokenizer)
    _refuse_new_head(task)
    task.context.permit = permit
    # In full precision, as it was measured: 4 bits are for training.
    task.context.chooser.data = task.context.chooser.data.model_copy(update={"method": "full"})
    model = task.load_model(where).eval()
    return Side(task, model, tuned.ends if tuned is not None else _ends(model))


def _refuse_new_head(task: Task) -> None:
    if isinstance(task, HeadTask) and task.head_is_new:
        raise problem_error("try.new_head", NEW_HEAD)


def _ends(model: Any) -> frozenset[int]:
    """The tokens that end an answer, beside the tokenizer's own."""
    found = model.generation_config.eos_token_id if model.can_generate() else None
    return frozenset(found if isinstance(found, list) else [])


def base_path(run: Run) -> Path:
    """Where the base of a run lies.

    Raises
    ------
    StudioError
        When it is no longer there.

    """
    known = (run.plan or {}).get("model") or {}
    path, source = Path(str(known.get("path") or "")), str(known.get("source") or "")
    if known.get("path") and path.is_dir():
        return path
    if source.startswith(_BUILTIN):
        return Path(builtin.path(source.removeprefix(_BUILTIN)))
    raise problem_error(
        "base.missing",
        f"The base model was in {path}, and that folder is no longer there; only the tuned model "
        "can answer.",
    )


def _task(run: Run, tokenizer: Any, device: str, *, names_from: Any) -> Task:
    """The task of a run as far as answering needs it, from its frozen plan."""
    plan = run.plan
    if plan is None:
        raise problem_error("try.no_plan", "This run has no plan yet, so nothing can be tried.")
    data = FinetuneData.model_validate(plan["finetune"])
    context = Context(
        chooser=Chooser(data),
        control=cast("Any", None),  # no task asks for either to answer
        reporter=cast("Any", None),
        config=names_from,
        tokenizer=tokenizer,
        roles=roles_of(data),
        device=device,
    )
    task = tasks.create(data.task, context)
    if isinstance(task, HeadTask):
        task.names = [str(names_from.id2label[n]) for n in sorted(names_from.id2label)]
        kept = any(c["field"] == "head" and c["value"] == "kept" for c in plan["choices"])
        task.head_is_new = not kept
        task.problem_type = getattr(names_from, "problem_type", None)
        if isinstance(task, Classification):
            several = task.problem_type == "multi_label_classification"
            task.labels = Labels(tuple(task.names), several)
        task.ready_tokenizer()
    return task


# ------------------------------------------------------------ memory


def bytes_needed(run: Run) -> int:
    """Memory that base and tuned take in 32 bits, and half as much again to compute."""
    known = (run.plan or {}).get("model") or {}
    path = run.model_path
    alone = path is not None and adapters.holds_adapters_alone(path)
    return int(known.get("parameters") or 0) * 4 * (1 if alone else 2) * 3 // 2


def bytes_free(device: str) -> int:
    """What is free where the models would go."""
    if device == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    import psutil  # noqa: PLC0415

    return int(psutil.virtual_memory().available)

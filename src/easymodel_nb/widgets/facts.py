"""What is known of the source of each model and dataset node, before anything is trained.

Reading a source takes up to seconds, so it is done on the worker, keyed by what
the node holds: an answer to what the node held a moment ago is never shown.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ValidationError

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.widgets.state import SourceFacts
from easymodel_nb.widgets.worker import Worker
from easymodel_nb.workflow.document import (
    DATA_MODELS,
    DatasetData,
    FinetuneData,
    ModelData,
    Node,
    Workflow,
)
from easymodel_nb.workflow.placeholders import to_choose

_LATER = "Checked when training starts."
_KEPT = 64
_CANDIDATES = 50  # columns offered for a role; any other can be typed
_TOLD = frozenset(SourceFacts.model_fields) - {"source", "state"}
_LOOK_AGAIN_SECONDS = 5.0  # a file that was missing may be there now


class Described(Protocol):
    """What the trainer says of a source; it may say whatever else SourceFacts holds."""

    @property
    def lines(self) -> list[str]:
        """Facts, the most telling first."""

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""

    @property
    def rows(self) -> list[list[str]]:
        """The first rows as text."""

    @property
    def total_rows(self) -> int | None:
        """How many rows there are."""

    @property
    def roles(self) -> dict[str, str]:
        """The column that "choose for me" means, by field."""


Describe = Callable[[ModelData | DatasetData, FinetuneData | None], Described | None]
_AT_ONCE = 3  # questions to the Hub: a slow one does not hold up the next


class _Entry(NamedTuple):
    facts: SourceFacts
    at: float


class _Question(NamedTuple):
    key: str
    source: str
    data: ModelData | DatasetData
    finetune: FinetuneData | None


class Facts:
    """Follows a workflow and calls `changed` when something new is known.

    `describe` looks at what is on this machine; what it has no answer for is `remote`'s.
    """

    def __init__(
        self,
        worker: Worker,
        changed: Callable[[], None],
        describe: Describe | None = None,
        home: Path | None = None,
        *,
        remote: Describe | None = None,
    ) -> None:
        self._worker = worker
        self._changed = changed
        self._describe = describe or partial(_describe, home)
        self._remote = remote
        self._network = Worker("easymodel-hub", threads=_AT_ONCE)
        self._lock = threading.Lock()
        self._known: dict[str, _Entry] = {}
        self._asked: set[str] = set()
        self._wanted: set[str] = set()
        self._stale: set[str] = set()

    def of(self, workflow: Workflow) -> dict[str, SourceFacts]:
        """What is known now, by node id; what is not known yet is asked."""
        questions = dict(_questions(workflow))
        with self._lock:
            self._wanted = {question.key for question in questions.values()}
            for question in questions.values():
                if question.key not in self._asked and self._worth_asking(question.key):
                    self._asked.add(question.key)
                    self._worker.submit(partial(self._look, question))
            return {name: self._answer(question, name) for name, question in questions.items()}

    def refresh(self, concerns: Callable[[str], bool]) -> bool:
        """Ask again about the sources that `concerns` names; what is known is shown until then."""
        with self._lock:
            old = {key for key, entry in self._known.items() if concerns(entry.facts.source)}
            self._stale |= old
            return bool(old & self._wanted)

    def look_again(self) -> None:
        """Ask anew about what is in the way, or was told without the network."""
        with self._lock:
            for key, entry in list(self._known.items()):
                if entry.facts.problem or entry.facts.offline or entry.facts.code:
                    del self._known[key]
        self._changed()

    def close(self) -> None:
        """End the threads that ask the Hub."""
        self._network.close()

    def _worth_asking(self, key: str) -> bool:
        entry = self._known.get(key)
        if entry is None or key in self._stale:
            return True
        return entry.facts.state == "problem" and time.monotonic() - entry.at > _LOOK_AGAIN_SECONDS

    def _answer(self, question: _Question, node: str) -> SourceFacts:
        entry = self._known.get(question.key)
        if entry is None:
            return SourceFacts(source=question.source, state="checking")
        if entry.facts.problem is None:
            return entry.facts
        (placed,) = StudioError(entry.facts.problem).at(node).problems
        return entry.facts.model_copy(update={"problem": placed})

    def _look(self, question: _Question) -> None:
        with self._lock:
            if question.key not in self._wanted:
                self._asked.discard(question.key)
                return
        found = self._ask(question, self._describe)
        if found is None and self._remote is not None:
            self._network.submit(partial(self._look_on_the_hub, question, self._remote))
            self._network.start()
            return
        self._tell(question, found)

    def _look_on_the_hub(self, question: _Question, remote: Describe) -> None:
        with self._lock:
            if question.key not in self._wanted:  # something else has been typed since
                self._asked.discard(question.key)
                return
        self._tell(question, self._ask(question, remote))

    def _tell(self, question: _Question, found: SourceFacts | None) -> None:
        facts = found or SourceFacts(source=question.source, lines=[_LATER])
        with self._lock:
            self._asked.discard(question.key)
            self._stale.discard(question.key)
            self._known.pop(question.key, None)
            self._known[question.key] = _Entry(facts, time.monotonic())
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        self._changed()

    def _ask(self, question: _Question, describe: Describe) -> SourceFacts | None:
        """What is known of a source; None when it is not for `describe` to know."""
        source = question.source
        try:
            found = describe(question.data, question.finetune)
        except StudioError as error:
            problem = error.problems[0]
            state: Literal["unknown", "problem"] = (
                "problem" if problem.severity == "error" else "unknown"
            )
            return SourceFacts(source=source, state=state, problem=problem)
        except Exception as error:  # noqa: BLE001  whatever a file holds, the node says so
            problem = Problem(
                code="source.unreadable",
                message=f"{source} cannot be read: {redact(str(error)) or type(error).__name__}",
                field="source",
            )
            return SourceFacts(source=source, state="problem", problem=problem)
        if found is None:
            return None
        told = {name: getattr(found, name) for name in _TOLD if hasattr(found, name)}
        facts = SourceFacts.model_validate(
            {**told, "source": source, "state": "ok"}, from_attributes=True
        )
        if facts.problem is not None:
            facts.state = "problem" if facts.problem.severity == "error" else "unknown"
        facts.lines = facts.lines[:2]
        facts.candidates = {name: some[:_CANDIDATES] for name, some in facts.candidates.items()}
        return facts


def _questions(workflow: Workflow) -> Iterator[tuple[str, _Question]]:
    for node in workflow.nodes:
        data = _data_of(node)
        if not isinstance(data, (ModelData, DatasetData)) or not data.source.strip():
            continue
        if to_choose(data.source) is None:  # check() says what to choose again
            finetune = _fed_by(workflow, node) if node.type == "dataset" else None
            key = json.dumps([node.type, _plain(data), _plain(finetune)], default=str)
            yield node.id, _Question(key, data.source, data, finetune)


def _fed_by(workflow: Workflow, node: Node) -> FinetuneData | None:
    """The first finetune node that this dataset feeds: its settings decide the roles."""
    targets = (workflow.node(edge.target) for edge in workflow.edges if edge.source == node.id)
    found = (_data_of(target) for target in targets if target is not None)
    return next((data for data in found if isinstance(data, FinetuneData)), None)


def _data_of(node: Node) -> BaseModel | None:
    model: type[BaseModel] | None = DATA_MODELS.get(node.type)
    try:
        return model.model_validate(node.data) if model else None
    except ValidationError:  # check() says what is wrong there
        return None


def _plain(data: BaseModel | None) -> dict[str, Any] | None:
    return data.model_dump(mode="json") if data else None


def _describe(
    home: Path | None, data: ModelData | DatasetData, finetune: FinetuneData | None
) -> Described | None:
    # Each import takes a second, on the worker.
    if isinstance(data, ModelData):
        from easymodel_nb.train.sources import describe_model  # noqa: PLC0415

        return describe_model(data, home)
    from easymodel_nb.train.data.describe import describe_dataset  # noqa: PLC0415

    return describe_dataset(data, finetune, home)

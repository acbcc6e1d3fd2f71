"""Makes ready, in the background, what the node edited last will be trained with.

Once a Finetuning node is complete and its audit lets it train, the trainer's libraries are
imported, its data prepared and its model read, while the user still looks at it. Nothing is done
while a run is under way, nor for a project whose runs are only looked at.
"""

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from easymodel_nb.train.auditing.asking import source_of
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.auditing.verdict import blocking
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.train.modest import be_modest
from easymodel_nb.train.warm import KEEPER, told
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.document import Workflow

Token = Callable[[], str | None]
_SETTLED_SECONDS = 0.8  # without an edit, before anything is begun
_LOOK_SECONDS = 1.0  # between two looks whether the last run has ended

_log = logging.getLogger(__name__)


class Make(Protocol):
    """Makes a request warm, as `train.warming.make_warm` does."""

    def __call__(
        self, request: dict[str, Any], home: Path, token: Token, *, busy: Callable[[], bool]
    ) -> bool:
        """Whether it is held now."""


class Warming:
    """Follows a workflow's nodes and makes the one that was edited last warm."""

    def __init__(
        self,
        home: Path,
        *,
        token: Token = lambda: None,
        busy: Callable[[], bool] = lambda: False,
        make: Make | None = None,
    ) -> None:
        self._home, self._token, self._busy = home, token, busy
        self._make = make or _make_warm
        self._state = threading.Condition()
        self._project = ""
        self._seen: dict[str, str] = {}  # what each complete node asked at the last look
        self._wanted: tuple[str, dict[str, Any]] | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def follow(
        self, project: str, workflow: Workflow, audits: Mapping[str, Audit], *, trained: bool
    ) -> None:
        """Look at a workflow with its audits; `trained` says that its project has runs already.

        Of such a project only what is edited is made ready: its runs may be all that is looked at.
        """
        asked = {
            node: request
            for node, audit in audits.items()
            if _complete(audit) and (request := _request(workflow, node)) is not None
        }
        now = {node: told(request) for node, request in asked.items()}
        with self._state:
            first = project != self._project
            before = {} if first else self._seen
            changed = [node for node, text in now.items() if before.get(node) != text]
            self._project, self._seen = project, now
            if not changed or self._closed:
                return
            if first and trained and "torch" not in sys.modules:
                return
            self._wanted = now[changed[-1]], asked[changed[-1]]
            KEEPER.drop(collect=False)  # of another node, or of what this one was
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="easymodel-warming", daemon=True
                )
                self._thread.start()
            self._state.notify_all()

    def close(self) -> None:
        """End, and hold nothing any more."""
        with self._state:
            self._closed = True
            self._wanted = None
            self._state.notify_all()
        KEEPER.drop()

    # ------------------------------------------------------------ the thread

    def _work(self) -> None:
        be_modest()
        while (request := self._settled()) is not None:
            try:
                self._make(request, self._home, self._token, busy=self._busy)
            except Exception:  # noqa: BLE001  its run will say what is wrong
                _log.exception("a node could not be made ready")

    def _settled(self) -> dict[str, Any] | None:
        """What to make ready, once nothing was edited for a moment; None where there is nothing."""
        while True:
            with self._state:
                wanted = self._wanted
                if wanted is None or self._closed:
                    self._thread = None
                    return None
                self._state.wait(_SETTLED_SECONDS)
                if self._wanted is not wanted:
                    continue
            if self._busy():  # it reads files, so nobody waits for it
                with self._state:
                    self._state.wait(_LOOK_SECONDS)
                continue
            with self._state:
                if self._wanted is wanted:
                    self._wanted = None
                    return wanted[1]


def _complete(audit: Audit) -> bool:
    """Whether a node can be trained as it is, and is not being measured."""
    measured = audit.fit_state in {"waiting", "checking"}
    return audit.state == "done" and not measured and not blocking(audit)


def _request(workflow: Workflow, name: str) -> dict[str, Any] | None:
    """What a run of this node would ask; None for one that begins with another run's model."""
    node, model = workflow.node(name), source_of(workflow, name, "model")
    if node is None or model.type == "finetune":
        return None
    return {
        "name": workflow.name,
        "node": sweeps.variants(node)[0].node.model_dump(mode="json"),
        "model": model.model_dump(mode="json"),
        "dataset": source_of(workflow, name, "dataset").model_dump(mode="json"),
    }


def _make_warm(
    request: dict[str, Any], home: Path, token: Token, *, busy: Callable[[], bool]
) -> bool:
    import_trainer()
    from easymodel_nb.train.warming import make_warm  # noqa: PLC0415  it imports PyTorch

    return make_warm(request, home, token, busy=busy)

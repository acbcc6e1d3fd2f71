"""Runs in the measured kernel: a studio, a click on Train as its view sends it, what the run told.

`studio` is what `easymodel.studio()` returned there. Times are since the click, in wall seconds
and in CPU seconds of the whole kernel.
"""

import time
from collections.abc import Callable
from typing import Any

from easymodel_nb.train import reporter
from easymodel_nb.train.warm import KEEPER

_PATIENCE = 600.0
_POLL = 0.005


class Heard:
    """Every event of a run, and every time its stage looked different on the screen."""

    def __init__(self) -> None:
        self.began, self.cpu = time.perf_counter(), time.process_time()
        self.events: list[tuple[float, float, str, str]] = []
        self.moves: list[tuple[float, str]] = []
        self._shown: Any = None

    def event(self, kind: str, message: str) -> None:
        """One event is in the log."""
        now = time.perf_counter() - self.began, time.process_time() - self.cpu
        self.events.append((*now, kind, message))

    def live(self, shown: Any) -> None:
        """What live.json says of the stage."""
        if shown != self._shown:
            self._shown = shown
            self.moves.append((time.perf_counter() - self.began, shown.message or ""))

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {"events": self.events, "moves": self.moves}


def hear() -> Heard:
    """Hear every run of this process from now on."""
    heard, event, live = Heard(), _EVENT, _LIVE

    def hearing(self: Any, type: str, **fields: Any) -> None:  # noqa: A002
        event(self, type, **fields)
        heard.event(type, str(fields.get("message") or fields.get("step") or ""))

    def living(self: Any, *, at_once: bool = False, **fields: Any) -> None:
        live(self, at_once=at_once, **fields)
        heard.live(self._stage)

    reporter.Reporter.event = hearing  # type: ignore[method-assign]
    reporter.Reporter.live = living  # type: ignore[method-assign]
    return heard


_EVENT, _LIVE = reporter.Reporter.event, reporter.Reporter.live


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something to come true."""
    deadline = time.monotonic() + _PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError
        time.sleep(_POLL)
    return found


def click(studio: Any) -> dict[str, Any]:
    """Train the project's node until its first step is done; the run is then stopped."""
    heard = hear()
    run = studio.command("train")["runs"][0]
    until(lambda: any(e[2] in {"progress", "run_failed", "run_stopped"} for e in heard.events))
    found = heard.told()
    studio.command("stop", run=run)
    studio.wait(run, timeout=_PATIENCE)
    if not any(e[2] == "progress" for e in found["events"]):
        raise RuntimeError(found["events"][-1])
    return found


def warmed(studio: Any, **data: Any) -> None:
    """Edit the node as the view does, and wait until what it is trained with is ready."""
    workflow = studio.project.workflow
    workflow.of_type("finetune")[0].data |= data
    studio.command("commit", document=workflow.dump())
    until(lambda: KEEPER.key)


def audited(studio: Any) -> None:
    """Wait until the gate lets the node train, as the view does before it enables Train."""
    node = studio.project.workflow.of_type("finetune")[0].id
    until(lambda: studio.command("audit", node=node)["audit"]["state"] == "done")

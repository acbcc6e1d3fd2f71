"""What each kind of job does; everything heavy is imported here, late, on the job's thread."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from easymodel_nb.errors import Problem, problem_error
from easymodel_nb.runlog.run import Run
from easymodel_nb.runlog.view import RunView
from easymodel_nb.secrets import redact
from easymodel_nb.train.contacts import recorded
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.widgets.methods import PushParams, PushPlanResult
from easymodel_nb.widgets.served import link_to

_LOOK_LIMIT = 30.0  # seconds the Hub has to answer before anything is sent
_ADAPTER = "adapter_config.json"


class Ended(Exception):  # noqa: N818  a request, not an error
    """The job was cancelled; the text says what is left of it."""


class Here(NamedTuple):
    """The job from inside: `tell` says done, total and a sentence, and ends it when asked."""

    control: Control
    tell: Callable[[float | None, float | None, str], None]


def refuse_unfinished(run: Run) -> None:
    """Let only a finished run go to the Hub; raises StudioError."""
    from easymodel_nb.train.takeaway.parcel import refuse_unfinished as refuse  # noqa: PLC0415

    refuse(run)


def zipped(run: Run, here: Here) -> dict[str, Any]:
    """Pack the model, its card and the licence texts."""
    from easymodel_nb.train.takeaway.packing import pack  # noqa: PLC0415
    from easymodel_nb.train.takeaway.parcel import parcel  # noqa: PLC0415

    here.tell(None, None, "Writing the model card")
    sent = parcel(run, folder=_merged_alone(run))
    total = float(sent.bytes)
    path = pack(
        sent,
        run.folder / f"{sent.name}.zip",
        lambda done: here.tell(done, total, "Packing"),
    )
    size = path.stat().st_size
    link = link_to(path)
    return {"path": str(path), "url": link, "done": size, "total": size, "message": path.name}


def reported(run: Run, others: Sequence[RunView], here: Here) -> dict[str, Any]:
    """Pack the report: the page, its charts and tables, the model card, the record."""
    from easymodel_nb.widgets.reports import report  # noqa: PLC0415

    path = report(run, others=others, tick=lambda name: here.tell(None, None, f"Writing {name}"))
    size = path.stat().st_size
    link = link_to(path)
    return {"path": str(path), "url": link, "done": size, "total": size, "message": path.name}


def measured(run: Run, home: Path, token: str | None, here: Here) -> dict[str, Any]:
    """Judge the answers a run kept; the judge is downloaded where it is missing."""
    here.tell(None, None, "Loading PyTorch")
    here.control.interruptible(import_trainer)  # it takes seconds, in which a stop is obeyed
    with _quietly(), recorded(run.folder, "measuring"):
        from easymodel_nb.train.analytics.getting import get_encoder  # noqa: PLC0415
        from easymodel_nb.train.analytics.later import measure  # noqa: PLC0415

        def tell(said: str) -> None:
            here.tell(None, None, said)

        get_encoder(home, token, here.control, here.tell)
        points = measure(run.folder, control=here.control, tell=tell)
    return {"message": f"The answers of {points} points were judged.", "done": None, "total": None}


def merged(run: Run, here: Here) -> dict[str, Any]:
    """Merge the adapters and verify it, or say how far the merged model was found apart."""
    here.tell(None, None, "Loading PyTorch")
    with _quietly():
        from easymodel_nb.train import saving  # noqa: PLC0415
        from easymodel_nb.train.probing import Difference  # noqa: PLC0415

        done = saving.merged_of(run.folder)
        if done is not None:
            with suppress(OSError, ValueError, TypeError):
                content = json.loads((run.folder / saving.CHECKED).read_text(encoding="utf-8"))
                return {"path": str(done), "message": Difference(**content).sentence()}
        target = run.folder / saving.MERGED
        made = saving.merge(
            run.folder, target, here.control, lambda said: here.tell(None, None, said)
        )
    return {"path": str(made.path), "message": made.checked.sentence()}


def planned(run: Run, params: PushParams, token: str | None) -> PushPlanResult:
    """What a push would send, and where; nothing is sent."""
    with _quietly():
        began = time.monotonic()

        def tick(*_: Any) -> None:
            if time.monotonic() - began > _LOOK_LIMIT:
                raise TimeoutError

        target, sent = _push(run, params, token, tick).look()
    shown = Problem(
        code="push.samples",
        severity="note",
        message="The card shows numbers, settings and three answers with their validation rows.",
    )
    return PushPlanResult(
        repo=target.repo,
        private=target.private,
        files=[{"name": item.name, "bytes": item.bytes} for item in sent.items],
        bytes=sent.bytes,
        licence=sent.licence,
        card=sent.card,
        problems=[*target.notes, shown],
    )


def pushed(run: Run, params: PushParams, token: str | None, here: Here) -> dict[str, Any]:
    """Send the model; the answer is where it is."""
    from easymodel_nb.train.takeaway.publish_errors import Cancelled  # noqa: PLC0415

    def tick(done: float, total: float, said: str) -> None:
        try:
            here.tell(done, total or None, said)
        except Stopped:
            raise Cancelled from None

    here.tell(None, None, "Asking the Hub")
    with _quietly(), recorded(run.folder, "pushing"):
        try:
            url = _push(run, params, token, tick).send()
        except Cancelled as ended:
            raise Ended(str(ended)) from None
    return {"url": url, "message": f"Sent and compared: {url}"}


def _push(
    run: Run, params: PushParams, token: str | None, tick: Callable[[float, float, str], None]
) -> Any:
    from easymodel_nb.train.takeaway.publish import Push  # noqa: PLC0415

    folder = None
    if params.merged and _adapters_alone(run):
        folder = _merged_alone(run)
        if folder is None:
            raise problem_error("push.not_merged", "Merge the adapters first, then send the model.")
    return Push(run, params.repo.strip(), params.private, token, folder=folder, tick=tick)


def _adapters_alone(run: Run) -> bool:
    model = run.model_path
    return model is not None and (model / _ADAPTER).exists()


def _merged_alone(run: Run) -> Path | None:
    """The merged model of a run whose own folder holds adapters alone; None without one."""
    path = run.folder / "model-merged"
    return path if _adapters_alone(run) and path.is_dir() else None


@contextmanager
def _quietly() -> Iterator[None]:
    """Nothing a library logs lands in whatever cell ran last."""
    import_trainer()  # what is needed to silence it, while an audit may be importing the same
    from easymodel_nb.train.quiet import LogBuffer, quiet  # noqa: PLC0415

    with quiet(LogBuffer(redact)):
        yield

"""What is fuzzed: each target takes any bytes and may refuse them only with a sentence.

The same functions are run by `fuzz.py` (guided by coverage), by Hypothesis and over the corpus.
"""

import contextlib
import functools
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError

Target = Callable[[bytes], None]


def workflow(data: bytes) -> None:
    """A project file or pasted JSON: read, checked, written, and read again."""
    from easymodel_nb.widgets import portable
    from easymodel_nb.workflow.check import check
    from easymodel_nb.workflow.document import Workflow

    with contextlib.suppress(StudioError):
        Workflow.read(data)
    text = data.decode("utf-8", "replace")
    read = _or_sentence(lambda: portable.unpack(text))
    if read is None:
        return
    problems = check(read)
    assert all(problem.message for problem in problems)
    portable.missing(read)
    again = Workflow.read(json.loads(json.dumps(read.dump())))
    assert again.dump() == read.dump()


def eventlog(data: bytes) -> None:
    """A run's log: whatever stands in it, the run has a view, and a writer can go on."""
    from easymodel_nb.runlog.log import RunLog, RunReader, read_view
    from easymodel_nb.runlog.run import Run
    from easymodel_nb.widgets.recording import recording

    with _folder() as home:
        folder = home / "runs" / "20260101T000000000-abcd"
        folder.mkdir(parents=True)
        log, _, live = data.partition(b"\n\0\n")
        (folder / "events.jsonl").write_bytes(log)
        if live:
            (folder / "live.json").write_bytes(live)
            (folder / "plan.json").write_bytes(live)
            (folder / "samples.jsonl").write_bytes(live)
        before = RunReader(folder).folded()
        view = read_view(folder)
        assert view.model_dump_json()
        run = Run(folder)
        run.metric_rows()
        run.samples()
        run.answer_rows()
        _or_sentence(lambda: recording(folder))
        RunLog(folder).append("stage", stage="loading", message="on")
        assert RunReader(folder).folded().stage.stage == "loading"
        del before


@functools.cache
def _handlers() -> Any:
    from easymodel_nb.secrets import TokenHolder
    from easymodel_nb.train.manager import RunManager
    from easymodel_nb.widgets.commands import Commands
    from easymodel_nb.widgets.replay import Gate
    from easymodel_nb.widgets.session import Session

    class Screen:
        """No page to write to."""

        def publish(self) -> None: ...
        def pull(self, *_seen: Any) -> None: ...
        def theme(self, name: Any) -> None: ...

    class Idle(RunManager):
        """Queues and never begins."""

        def _work(self) -> None: ...

    home = Path(tempfile.mkdtemp(prefix="easymodel-fuzz-"))
    session = Session(
        home,
        Idle(home),
        tokens=TokenHolder(),
        describe=lambda *_: None,  # type: ignore[arg-type,return-value]
        variables=list,
        audits=Gate(),
    )
    for late in (session.suggestions, session.jobs, session.tries, session.exports):
        del late  # what they start is asked for below, by name
    handlers = dict(Commands(session, Screen()).handlers)
    # These reach for the network, a model or a browser's worth of rows: they have their own tests.
    for heavy in ("suggest", "measure", "push", "push_plan", "try_prompt", "take", "report"):
        handlers.pop(heavy, None)
    return handlers, home


def rpc(data: bytes) -> None:
    """Messages of a page: each gets a reply that JSON can hold, and none is an inner failure."""
    from easymodel_nb.widgets import rpc as dispatcher

    handlers, home = _handlers()
    head, _, buffer = data.partition(b"\n\0\n")
    try:
        message = json.loads(head)
    except (ValueError, RecursionError):
        return
    if isinstance(message, dict) and str(message.get("method")) not in handlers and len(head) % 4:
        message = {**message, "method": sorted(handlers)[len(head) % len(handlers)]}
    reply = dispatcher.reply(handlers, message, [buffer] if buffer else [])
    reply.pop("buffers", None)
    said = json.dumps(reply, allow_nan=False)
    if not reply["ok"]:
        assert reply["error"]["code"] != "internal", said
    outside = [p for p in home.parent.iterdir() if p.name.startswith("easymodel-escaped")]
    assert not outside, outside
    _tidy(home)


def _tidy(home: Path) -> None:
    """Few projects, so that a million messages do not make a million of them."""
    projects = sorted((home / "projects").glob("*.json"))
    for path in projects[40:]:
        path.unlink(missing_ok=True)


def tables(data: bytes) -> None:
    """A data file under the name its first byte says: rows or a sentence."""
    from easymodel_nb.train.data.files import read_file
    from easymodel_nb.train.data.reading import Reading

    suffix = (".csv", ".tsv", ".json", ".jsonl", ".txt", ".conll")[(data[:1] or b"\0")[0] % 6]
    with _folder() as folder:
        path = folder / f"data{suffix}"
        path.write_bytes(data[1:])
        splits = _or_sentence(lambda: read_file(path, Reading(cache=folder / "cache")))
        for table in (splits or {}).values():
            table.validate(full=True)
            table.slice(0, 3).to_pylist()


def _or_sentence(work: Callable[[], Any]) -> Any:
    """What it gives; None after a refusal in words, which is no exception of a library."""
    try:
        return work()
    except StudioError as error:
        refused = error
    assert str(refused).strip()
    if isinstance(refused.__cause__, Exception):
        raise refused.__cause__
    return None


@contextlib.contextmanager
def _folder() -> Any:
    fast = Path("/dev/shm")
    path = Path(tempfile.mkdtemp(dir=fast if fast.is_dir() else None))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


TARGETS: dict[str, Target] = {
    "workflow": workflow,
    "eventlog": eventlog,
    "rpc": rpc,
    "tables": tables,
}

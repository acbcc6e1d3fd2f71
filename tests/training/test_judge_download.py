"""A judge that was not there when a run trained: downloaded afterwards, by the button's command.

No `offline` extra, an empty Hub cache, and a Hub of this machine that serves the real MiniLM.
"""

import errno
import shutil
import threading
import time
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets
import pytest
from fake_hub import Hub, Repo, fake_hub
from small_runs import STOP_LIMIT, small, until

from easymodel_nb import builtin
from easymodel_nb.builtin.offline import MINILM
from easymodel_nb.errors import StudioError
from easymodel_nb.metrics import judges, obtainable
from easymodel_nb.report.figures import Action, Empty
from easymodel_nb.report.grid import panels_of
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.headline import details
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.analytics import allowance
from easymodel_nb.train.manager import RunManager
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import Job
from easymodel_nb.widgets.studio import Studio

REPO = obtainable.ENCODER.repo
WEIGHTS = "model.safetensors"
JUDGED = ("quality.overall", "quality.grammar", "semantics.drift", "semantics.consistency")
pytestmark = pytest.mark.skipif(MINILM.folder() is None, reason="the extra `offline` is not here")


@pytest.fixture(scope="module")
def published() -> dict[str, bytes]:
    """What lies in the repository: the real files, and some that nobody needs."""
    folder = builtin.path("minilm")
    files = {name: (folder / name).read_bytes() for name in MINILM.files}
    return {**files, "README.md": b"# MiniLM", "onnx/model.onnx": b"x", "tf_model.h5": b"x"}


@pytest.fixture(scope="module", autouse=True)
def bare(published: dict[str, bytes]) -> Iterator[None]:  # noqa: ARG001  read before
    """A machine without the extra, with as much time as it takes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(type(MINILM), "folder", lambda _: None)
        patched.setattr(allowance, "FLOOR_SECONDS", 3600.0)
        patched.delenv(judges.OFF, raising=False)
        yield


@pytest.fixture(scope="module")
def hub(published: dict[str, bytes]) -> Iterator[Hub]:
    with fake_hub() as server:
        server.models[REPO] = Repo({"main": published})
        yield server


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hub: Hub) -> Iterator[Path]:
    """An empty cache of the client, which is sent to the Hub of this machine."""
    folder = use_hub(monkeypatch, tmp_path / "cache", hub.url)
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)  # its patience
    kept = dict(judges._loaded)
    judges.refresh()
    hub.requests.clear()
    yield folder
    judges.refresh()
    judges._loaded.update(kept)
    for server in (hub, hub.cdn):
        server.release()
        server.stalled.clear()
        server.cutting = False


def use_hub(patched: pytest.MonkeyPatch, folder: Path, url: str) -> Path:
    patched.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(folder))
    patched.setattr("huggingface_hub.constants.ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    patched.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a run that had no judge."""
    home = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patched:
        use_hub(patched, home / "nothing", "http://127.0.0.1:9")
        judges.refresh()
        studio = opened(home)
        fields = {"epochs": 1, "analytics_budget": 0.1, "max_new_tokens": 16, "max_length": 64}
        studio.command("commit", document=small(**fields).dump())
        studio.command("train", node="f1")
        run = studio.wait(timeout=240)
        assert run.status == "finished", run.view.detail
        studio.close()
        judges.refresh()
    return home


def opened(home: Path) -> Studio:
    session = Session(home, RunManager(home))
    return Studio(session, script_and_styles=("export default {}", ".emnb {}"))


@pytest.fixture
def studio(trained: Path, tmp_path: Path) -> Iterator[Studio]:
    """A studio on a home of the test's own with that run."""
    shutil.copytree(trained, tmp_path / "copied")
    made = opened(tmp_path / "copied")
    yield made
    made.close()


def asked(studio: Studio) -> str:
    """The button is pressed."""
    job = studio.command("measure", run=studio.runs[0].id)["job"]
    assert isinstance(job, str)
    return job


def job_of(studio: Studio, name: str) -> Job:
    return next(job for job in studio._session.jobs.items() if job.id == name)


def ended(studio: Studio, name: str) -> Job:
    def look() -> Job | None:
        job = job_of(studio, name)
        return job if job.state in {"done", "failed", "cancelled"} else None

    found = until(look)
    assert isinstance(found, Job)
    return found


def kept(run: Run) -> dict[str, bytes]:
    """All files of a run but the one that notes whom it contacted."""
    files = (p for p in run.folder.rglob("*") if p.is_file() and p.name != "destinations.json")
    return {p.name: p.read_bytes() for p in files}


def empties(run: Run) -> dict[str, Empty]:
    """The places without a figure whose remedy is a button, by panel."""
    found = panels_of(run.view, scores.read(run.folder))
    figures = [(panel.name, figure) for panel in found for figure in panel.content.figures]
    return {name: f for name, f in figures if isinstance(f, Empty) and f.action is not None}


def drawn(studio: Studio) -> str:
    """All the HTML of the dashboard as it is now, on a page that shows it."""
    studio._pages.say("a page", "analytics")
    studio._import_charts()
    studio.publish()
    return "".join(html_of(studio._dashboard.box))


def html_of(box: Any) -> Iterator[str]:
    if isinstance(box, ipywidgets.HTML):
        yield box.value
    for child in getattr(box, "children", ()):
        yield from html_of(child)


def left_as_it_was(studio: Studio, before: dict[str, bytes]) -> None:
    (run,) = studio.runs
    assert kept(run) == before
    assert run.status == "finished"
    assert empties(run)


# ------------------------------------------------------------ what works


def test_a_run_without_a_judge_says_so_and_offers_it(studio: Studio):
    (run,) = studio.runs
    for point in run.view.points:
        assert point.analytics.perplexity["validation"].value is not None
        if point.epoch % 1:
            continue  # the answers are those of whole epochs
        semantics, quality = point.analytics.semantics, point.analytics.quality
        for number in (semantics.drift, semantics.consistency, quality.coherence, quality.grammar):
            assert number.value is None
            assert number.reason
        assert 'pip install "easymodel-nb[offline]"' in semantics.drift.reason
    offered = {name: place.action for name, place in empties(run).items()}
    button = Action("Get the judge, 91 MB", "measure", {"run": run.id})
    assert offered["chart-semantics"] == button
    assert all(action == button for action in offered.values())


def test_the_judge_is_fetched_and_the_answers_are_judged_without_training(
    studio: Studio, hub: Hub, cache: Path
):
    (run,) = studio.runs
    before = kept(run)
    hub.cdn.hold()
    name = asked(studio)
    until(hub.cdn.stalled.is_set)
    told = until(lambda: (j := job_of(studio, name)).done and j)
    assert told.message == f"Downloading {REPO} (92 MB)"
    assert told.total == pytest.approx(91.6e6, rel=0.01)
    assert asked(studio) == name  # a second click is the same job
    shown = drawn(studio)
    assert f"Downloading {REPO} (92 MB), " in shown
    assert "job_cancel" in shown
    assert "Get the judge" not in shown
    hub.cdn.release()
    done = ended(studio, name)
    assert done.state == "done", done.message
    assert done.message == "The answers of 2 points were judged."

    fetched = {Path(path).name for _, path, _ in hub.requests if "/resolve/" in path}
    assert set(MINILM.files) <= fetched
    assert not {"model.onnx", "tf_model.h5"} & fetched
    assert next(cache.rglob(WEIGHTS)).stat().st_size == MINILM.files[WEIGHTS][0]

    (after,) = studio.runs
    assert after.status == "finished"
    now = kept(after)
    changed = {n for n in now if now[n] != before.get(n)}
    assert changed - {".resume.lock"} == {"events.jsonl", "scores.jsonl"}
    events = now["events.jsonl"].removeprefix(before["events.jsonl"])
    assert [line.count(b'"measured"') for line in events.splitlines()] == [1, 1]
    last = after.metrics().iloc[-1]
    for number in JUDGED:
        assert last[number] == last[number], number
    first = details(after.view.points[0].analytics)
    assert first["judges"]["semantics"].startswith("all-MiniLM-L6-v2@53aa51172d14")
    assert not empties(after)
    shown = drawn(studio)
    assert "Get the judge" not in shown
    assert "Downloading" not in shown
    perplexity = [[p.analytics.perplexity for p in r.view.points] for r in (run, after)]
    assert perplexity[0] == perplexity[1]

    hub.requests.clear()
    again = ended(studio, asked(studio))
    assert again.state == "done"
    assert hub.requests == []
    assert [p.analytics for p in Run(after.folder).view.points] == [
        p.analytics for p in after.view.points
    ]
    assert len(scores.read(after.folder, of="prompts")) == 2


# ------------------------------------------------------------ what is in the way

BROKEN: dict[str, tuple[str, str]] = {
    "offline": ("hub.offline", "Check the network and try again"),
    "gated": ("hub.gated", "Accept its terms"),
    "not there": ("hub.not_found", "does not have it"),
    "lost": ("hub.offline", "Check the network and try again"),
    "full": ("disk.full", "the disk is full. It takes 91 MB"),
    "another": ("judge.changed", "not the model that was published"),
    "without weights": ("judge.changed", "not the model that was published"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_in_the_way_is_told_and_the_run_stays(
    studio: Studio,
    hub: Hub,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
    published: dict[str, bytes],
    how: str,
):
    before = kept(studio.runs[0])
    broken = {**published, WEIGHTS: b"w" * 1_200_000}
    repo = Repo({"main": broken}, gated=how == "gated")
    monkeypatch.setitem(hub.models, REPO, repo)
    if how == "offline":
        use_hub(monkeypatch, cache, "http://127.0.0.1:9")
    if how == "not there":
        monkeypatch.delitem(hub.models, REPO)
    if how == "without weights":
        repo.put({name: body for name, body in broken.items() if name != WEIGHTS})
    if how == "lost":
        hub.cdn.cutting = True
    if how == "full":
        monkeypatch.setattr("huggingface_hub.file_download.http_get", full)
    job = ended(studio, asked(studio))
    code, says = BROKEN[how]
    assert job.state == "failed"
    assert job.problem is not None
    assert (job.problem.code, says in job.message) == (code, True), job.message
    assert job.message.endswith('pip install "easymodel-nb[offline]"')
    left_as_it_was(studio, before)
    assert judges.local().encoder is None
    shown = drawn(studio)
    assert escape(job.message) in shown
    assert "Get the judge" in shown
    if how == "another":  # what was wrong is not kept: the next click gets another
        assert not list(cache.rglob(WEIGHTS))


def full(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_another_encoder_in_the_cache_is_not_read(cache: Path, published: dict[str, bytes]):
    snapshot = cache / f"models--{REPO.replace('/', '--')}" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("0" * 40)
    for name in MINILM.files:
        (snapshot / name).write_bytes(published[name])
    changed = bytearray(published[WEIGHTS])
    changed[-1] ^= 1
    (snapshot / WEIGHTS).write_bytes(changed)
    found = judges.local()
    assert found.encoder is None
    assert "not the MiniLM that was published" in found.reasons["encoder"]
    assert str(snapshot) in found.reasons["encoder"]


def test_a_cancelled_download_ends_at_once_and_the_next_click_goes_on(studio: Studio, hub: Hub):
    before = kept(studio.runs[0])
    hub.cdn.hold()
    name = asked(studio)
    until(hub.cdn.stalled.is_set)
    began = time.monotonic()
    studio.command("job_cancel", job=name)
    job = ended(studio, name)
    assert time.monotonic() - began < STOP_LIMIT
    assert (job.state, job.message) == ("cancelled", "Cancelled.")
    left_as_it_was(studio, before)
    hub.cdn.release()
    assert ended(studio, asked(studio)).state == "done"


def test_a_cancel_while_the_answers_are_judged_writes_nothing(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
):
    from easymodel_nb.train.analytics import getting, later

    before = kept(studio.runs[0])
    began, go = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> Any:
        began.set()
        go.wait()
        raise AssertionError

    monkeypatch.setattr(getting, "get_encoder", lambda *_: None)
    monkeypatch.setattr(later.judging, "local", slow)
    name = asked(studio)
    until(began.is_set)
    studio.command("job_cancel", job=name)
    assert ended(studio, name).state == "cancelled"
    go.set()
    left_as_it_was(studio, before)


def test_a_run_under_way_is_refused(studio: Studio):
    (name,) = studio.command("train", node="f1")["runs"]
    with pytest.raises(StudioError, match="when the run has ended"):
        studio.command("measure", run=name)
    studio.command("stop", run=name)
    assert studio.wait(name, timeout=60).status == "stopped"


def test_switched_off_judges_are_not_downloaded(
    studio: Studio, hub: Hub, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(judges.OFF, "1")
    job = ended(studio, asked(studio))
    assert (job.state, hub.requests) == ("failed", [])
    assert "switched off" in job.message


# ------------------------------------------------------------ a judge of grammar


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classifier of two labels, small and random, whose tokenizer knows a few words."""
    import transformers

    folder = tmp_path_factory.mktemp("cola")
    config = transformers.BertConfig(
        vocab_size=8,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=8,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nthe\nto\n.\n")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}')
    return folder


@pytest.mark.parametrize("head", ["trained", "not there"])
def test_a_classifier_of_grammar_in_the_cache_judges_too_if_its_head_was_trained(
    studio: Studio,
    hub: Hub,
    monkeypatch: pytest.MonkeyPatch,
    classifier: Path,
    tmp_path: Path,
    head: str,
):
    from huggingface_hub import snapshot_download
    from transformers import BertModel

    folder = shutil.copytree(classifier, tmp_path / "cola")
    if head == "not there":
        BertModel.from_pretrained(folder).save_pretrained(folder)
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    monkeypatch.setitem(hub.models, obtainable.COLA.repo, Repo({"main": files}))
    patterns = list(obtainable.COLA.patterns)
    snapshot_download(obtainable.COLA.repo, allow_patterns=patterns, token=False)
    job = ended(studio, asked(studio))
    assert job.state == "done", job.message
    first, *_, last = studio.runs[0].view.points
    judged = details(first.analytics)["judges"]
    found = last.analytics.quality.grammar
    assert found.value is not None
    assert found.judge == judged["grammar"]
    trained = head == "trained"
    assert judged["grammar"].startswith("roberta-base-CoLA@") == trained
    assert ("judge of grammar (CoLA) is here and could not be loaded" in judged["note"]) != trained

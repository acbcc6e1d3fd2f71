"""A model taken away: zips, what is in them, and the jobs that make them."""

import json
import shutil
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_hub import TOKEN, Hub, fake_hub
from small_runs import small, until
from writing import ATTRIBUTES

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import saving
from easymodel_nb.train.api import train
from easymodel_nb.train.takeaway.packing import pack
from easymodel_nb.train.takeaway.parcel import parcel
from easymodel_nb.widgets import job_work
from easymodel_nb.widgets.jobs import Jobs
from easymodel_nb.widgets.methods import PushParams, PushPlanResult
from easymodel_nb.widgets.rpc import reply
from easymodel_nb.widgets.state import Job


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    small_run = small(epochs=1, subset_size=16, eval_size=8)
    (run,) = train(small_run, home=tmp_path_factory.mktemp("home"))
    assert run.status == "finished"
    return run


@pytest.fixture
def changes() -> list[int]:
    return []


@pytest.fixture
def jobs(finished: Run, changes: list[int]) -> Iterator[Jobs]:
    made = Jobs(finished.folder.parent.parent, lambda: TOKEN, lambda: changes.append(1))
    yield made
    made.close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with fake_hub() as server:
        push = job_work._push

        def here(*args: object) -> object:
            made = push(*args)
            made.endpoint = server.url
            return made

        monkeypatch.setattr(job_work, "_push", here)
        yield server


def ended(jobs: Jobs, name: str) -> Job:
    def look() -> Job | None:
        (job,) = (job for job in jobs.items() if job.id == name)
        return job if job.state in {"done", "failed", "cancelled"} else None

    return until(look)


# ------------------------------------------------------------ the zip


def test_a_zip_holds_a_model_that_loads(finished: Run, tmp_path: Path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    sent = parcel(finished)
    done: list[int] = []
    path = pack(sent, tmp_path / "model.zip", done.append)
    assert done == sorted(done)
    assert done[-1] == sent.bytes
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        archive.extractall(tmp_path / "there")
    folder = tmp_path / "there" / sent.name
    assert (folder / "README.md").read_text(encoding="utf-8") == sent.card
    assert (folder / "licences" / "model-tiny-gpt2" / "ATTRIBUTION.tsv").stat().st_size > 0
    model = AutoModelForCausalLM.from_pretrained(folder)
    mine, _ = finished.load()
    for (name, here), (_, there) in zip(
        mine.named_parameters(), model.named_parameters(), strict=True
    ):
        assert here.equal(there), name
    assert AutoTokenizer.from_pretrained(folder).vocab_size > 0
    assert not (finished.model_path / "README.md").exists()  # the run's own folder is untouched


def test_the_code_of_the_card_runs(finished: Run, capsys: pytest.CaptureFixture[str]):
    sent = parcel(finished)
    code = sent.card.split("```python\n")[1].split("```")[0]
    code = code.replace("FOLDER", str(finished.model_path)).replace("PROMPT", "Intent: play music")
    exec(code, {})
    assert capsys.readouterr().out.strip()


def test_a_pack_that_is_ended_leaves_nothing(finished: Run, tmp_path: Path):
    def end(done: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(parcel(finished), tmp_path / "model.zip", end)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room(finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(StudioError, match="left"):
        pack(parcel(finished), tmp_path / "model.zip")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_meanwhile(finished: Run, tmp_path: Path):
    (tmp_path / "model.zip.part").symlink_to("/dev/full")
    with pytest.raises(StudioError, match="could not be written"):
        pack(parcel(finished), tmp_path / "model.zip")
    assert not (tmp_path / "model.zip").exists()


# ------------------------------------------------------------ adapters


@pytest.fixture(scope="module")
def adapted(tmp_path_factory: pytest.TempPathFactory) -> Run:
    small_run = small(
        "builtin:intents", task="classification", method="lora", epochs=1, subset_size=16,
        eval_size=8,
    )  # fmt: skip
    (run,) = train(small_run, home=tmp_path_factory.mktemp("home"))
    assert run.status == "finished", run.view.problem
    return run


@pytest.fixture
def alone(adapted: Run, tmp_path: Path) -> Run:
    """The same run as a QLoRA one leaves it: the adapters and no merged weights."""
    folder = tmp_path / "runs" / adapted.id
    shutil.copytree(adapted.folder, folder)
    saving._leave_adapter(folder / "model")
    (folder / saving.CHECKED).unlink()
    return Run(folder)


def test_no_path_of_this_machine_goes_along(adapted: Run, alone: Run):
    for run in (adapted, alone):
        for item in parcel(run).items:
            content = item.source if isinstance(item.source, bytes) else item.source.read_bytes()
            for place in (builtin.path("tiny-gpt2"), run.folder, Path.home()):
                assert str(place).encode() not in content, (item.name, place)


def test_what_lora_leaves_is_whole_and_says_how_it_was_checked(adapted: Run):
    sent = parcel(adapted)
    names = {item.name for item in sent.items}
    assert {"model.safetensors", "adapter/adapter_model.safetensors"} <= names
    assert "The adapters are merged into the weights" in sent.card
    assert "8 rows the logits of merged and adapter model differ" in sent.card
    assert "library_name: transformers" in sent.card
    (config,) = (i.source for i in sent.items if i.name == "adapter/adapter_config.json")
    assert isinstance(config, bytes)  # without the path of this machine
    assert json.loads(config)["base_model_name_or_path"] == "builtin:tiny-gpt2"


def test_adapters_alone_load_as_their_card_says(alone: Run, capsys: pytest.CaptureFixture[str]):
    sent = parcel(alone)
    assert "A LoRA adapter for classification" in sent.card
    assert "library_name: peft" in sent.card
    model, tokenizer = alone.load()
    logits = model(**tokenizer("play some jazz", return_tensors="pt")).logits
    code = sent.card.split("```python\n")[1].split("```")[0]
    code = code.replace('"BASE"', repr(str(builtin.path("tiny-gpt2"))))
    code = code.replace("FOLDER", str(alone.model_path)).replace("TEXT", "play some jazz")
    exec(code, {})
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == model.config.id2label[int(logits.argmax())]


def test_adapters_are_merged_and_then_the_whole_is_sent(alone: Run, hub: Hub):
    jobs = Jobs(alone.folder.parent.parent, lambda: TOKEN, lambda: None)
    params = PushParams(run=alone.id, repo="mine", merged=True)
    (problem,) = planned(jobs, params).problems
    assert problem.code == "push.not_merged"
    job = ended(jobs, jobs.take(alone.id, "merged"))
    assert job.state == "done", job.problem
    assert "agree" in job.message
    again = ended(jobs, jobs.take(alone.id, "merged"))
    assert (again.path, again.message) == (job.path, job.message)
    sent = ended(jobs, jobs.push(params))
    assert sent.state == "done", sent.problem
    files = hub.models["someone/mine"].revisions["main"]
    assert "model.safetensors" in files
    assert "adapter_model.safetensors" not in files
    assert b"The adapters are merged" in files["README.md"]
    jobs.close()


# ------------------------------------------------------------ jobs


def test_a_zip_as_a_job_travels_in_parts(jobs: Jobs, finished: Run, changes: list[int]):
    name = jobs.take(finished.id, "zip")
    assert jobs.active
    job = ended(jobs, name)
    assert (job.kind, job.state, job.problem) == ("zip", "done", None)
    assert not jobs.active
    assert changes
    handlers = {"download_part": lambda p: _part(jobs, p.job, p.offset)}
    whole = b""
    while len(whole) < job.total:
        answer = reply(
            handlers,
            {"id": "1", "method": "download_part", "params": {"job": name, "offset": len(whole)}},
        )
        assert answer["result"] == {"total": job.total}
        (data,) = answer["buffers"]
        assert 0 < len(data) <= 1 << 20
        whole += data
    assert whole == Path(job.path).read_bytes()


def _part(jobs: Jobs, job: str, offset: int) -> object:
    from easymodel_nb.widgets.methods import DownloadPartResult

    return DownloadPartResult.of(*jobs.part(job, offset))


def test_a_part_of_what_is_gone(jobs: Jobs, finished: Run):
    name = jobs.take(finished.id, "zip")
    Path(ended(jobs, name).path).unlink()
    with pytest.raises(StudioError, match="Pack it again"):
        jobs.part(name, 0)
    with pytest.raises(StudioError, match="Pack it again"):
        jobs.part("other", 0)


def test_a_second_click_is_the_same_job_and_a_cancelled_one_makes_nothing(
    jobs: Jobs, finished: Run, monkeypatch: pytest.MonkeyPatch
):
    go, inside = threading.Event(), threading.Event()
    zipped = job_work.zipped

    def slow(run: Run, here: job_work.Here) -> dict[str, object]:
        inside.set()
        assert go.wait(60)
        return zipped(run, here)

    monkeypatch.setattr(job_work, "zipped", slow)
    for path in finished.folder.glob("*.zip"):
        path.unlink()
    first = jobs.take(finished.id, "zip")
    assert inside.wait(60)
    assert jobs.take(finished.id, "zip") == first
    jobs.cancel(first)
    go.set()
    assert ended(jobs, first).state == "cancelled"
    assert list(finished.folder.glob("*.zip*")) == []


def test_a_job_goes_on_when_its_studio_is_gone(finished: Run, monkeypatch: pytest.MonkeyPatch):
    go, inside = threading.Event(), threading.Event()
    zipped = job_work.zipped

    def slow(run: Run, here: job_work.Here) -> dict[str, object]:
        inside.set()
        assert go.wait(60)
        return zipped(run, here)

    monkeypatch.setattr(job_work, "zipped", slow)
    home = finished.folder.parent.parent
    first = Jobs(home, lambda: None, lambda: None)
    name = first.take(finished.id, "zip")
    assert inside.wait(60)
    first.close()
    second = Jobs(home, lambda: None, lambda: None)
    assert second.items()[0].state == "working"
    go.set()
    assert ended(second, name).state == "done"
    assert second.part(name, 0)[0]
    second.close()
    until(lambda: "easymodel-jobs" not in {t.name for t in threading.enumerate()})


def test_a_full_run_has_nothing_to_merge(jobs: Jobs, finished: Run):
    job = ended(jobs, jobs.take(finished.id, "merged"))
    assert job.state == "failed"
    assert job.problem.code == "merge.no_adapter"


@pytest.mark.parametrize("run", ["nothing", "../x", ""])
def test_runs_that_are_not_there(jobs: Jobs, run: str):
    with pytest.raises(StudioError, match="no run"):
        jobs.take(run, "zip")


# ------------------------------------------------------------ pushes as jobs


def planned(jobs: Jobs, params: PushParams) -> PushPlanResult:
    assert jobs.plan(params).checking

    def look() -> PushPlanResult | None:
        found = jobs.plan(params)
        return None if found.checking else found

    return until(look)


def test_looked_at_then_sent(
    jobs: Jobs, finished: Run, hub: Hub, capfd: pytest.CaptureFixture[str]
):
    params = PushParams(run=finished.id, repo="mine")
    plan = planned(jobs, params)
    assert (plan.repo, plan.private, plan.licence) == (
        "someone/mine",
        True,
        "mit (its card in easymodel-nb)",
    )
    assert plan.bytes == sum(file["bytes"] for file in plan.files)
    assert [p.severity for p in plan.problems] == ["note"]
    assert hub.models == {}
    job = ended(jobs, jobs.push(params))
    assert (job.state, job.url) == ("done", f"{hub.url}/someone/mine"), job.problem
    assert set(hub.models["someone/mine"].revisions["main"]) - set(ATTRIBUTES) == {
        file["name"] for file in plan.files
    }
    assert TOKEN not in repr(jobs.items())
    assert capfd.readouterr() == ("", "")  # it would land in whatever cell ran last


def test_a_refusal_stands_on_its_field(jobs: Jobs, finished: Run, hub: Hub):
    hub.add("someone/mine", ATTRIBUTES)
    params = PushParams(run=finished.id, repo="mine")
    (problem,) = planned(jobs, params).problems
    assert (problem.code, problem.field) == ("push.public", "repo")
    job = ended(jobs, jobs.push(params))
    assert (job.state, job.problem.field) == ("failed", "repo")
    assert hub.commits == []


def test_a_push_is_cancelled_from_outside(jobs: Jobs, finished: Run, hub: Hub):
    hub.cdn.hold()
    name = jobs.push(PushParams(run=finished.id, repo="mine"))
    assert hub.cdn.stalled.wait(60)
    with pytest.raises(StudioError, match="on its way already"):
        jobs.push(PushParams(run=finished.id, repo="elsewhere"))
    jobs.cancel(name)
    job = ended(jobs, name)
    hub.cdn.release()
    assert job.state == "cancelled"
    assert "is empty" in job.message
    assert hub.commits == []


def test_a_token_in_an_error_is_not_shown(
    jobs: Jobs, finished: Run, monkeypatch: pytest.MonkeyPatch
):
    def leak(*_: object) -> None:
        raise RuntimeError(f"could not use {TOKEN}")

    monkeypatch.setattr(job_work, "pushed", leak)
    job = ended(jobs, jobs.push(PushParams(run=finished.id, repo="mine")))
    assert job.state == "failed"
    assert TOKEN not in job.model_dump_json()

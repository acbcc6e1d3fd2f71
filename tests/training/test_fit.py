"""The fit check: what it runs, what it leaves behind, what it says where memory runs out."""

import gc
import json
import os
import random
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_runs import PATIENCE, rows_of, small

from easymodel_nb import environment
from easymodel_nb.errors import StudioError
from easymodel_nb.train import fit, planning, untouched
from easymodel_nb.train.assembly import assemble
from easymodel_nb.train.auditing.audited import Fit
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.distributed.runner import ASKED
from easymodel_nb.train.fitting import measurement, memory, verdict
from easymodel_nb.train.fitting.measurement import Measurement, Setting
from easymodel_nb.train.manager import RunManager
from easymodel_nb.train.preparation import Preparation, prepare
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.tasks.generation import Generation
from easymodel_nb.train.trainer import LeanTrainer
from easymodel_nb.workflow.document import FinetuneData

BATCH = 4


def request(**finetune: Any) -> dict[str, Any]:
    """A small node with its model and its data, as a run has them."""
    model, dataset, node = (n.model_dump(mode="json") for n in small(**finetune).nodes[:3])
    return {"name": "", "node": node, "model": model, "dataset": dataset}


def check(home: Path, *, fresh: bool = False, **finetune: Any) -> Fit:
    """A fit check of such a node."""
    asked = request(**({"batch_size": BATCH} | finetune))
    return fit.fit_check(asked, home, lambda: None, Control(home), fresh=fresh)


def prepared(home: Path, **finetune: Any) -> Preparation:
    """The same node, prepared."""
    asked = request(**({"batch_size": BATCH} | finetune))
    return prepare(asked, lambda: None, Control(home), Unlogged(home, home))


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One home for the checks that may use what others measured."""
    return tmp_path_factory.mktemp("fit")


class Seen:
    """What a check ran and what was there before and after it."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []  # lengths of the rows of each batch that was made
        self.models: list[weakref.ref[Any]] = []
        self.fit: Fit | None = None
        self.before: Any = None
        self.after: Any = None
        self.threads: list[str] = []  # of those that were not there before
        self.key = ""


def _state() -> Any:
    """What belongs to the whole process."""
    return (
        torch.get_rng_state().tolist(),
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002  the one that others draw from
        torch.get_num_threads(),
        torch.is_grad_enabled(),
    )


@pytest.fixture(scope="module")
def seen(shared_home: Path) -> Seen:
    """A check, listened to."""
    found, collate, load = Seen(), Generation.collate, Generation.load_model

    def listening(task: Any, examples: Any) -> Any:
        found.batches.append([len(example) for example in examples])
        return collate(task, examples)

    def remembering(task: Any, path: Path) -> Any:
        model = load(task, path)
        found.models.append(weakref.ref(model))
        return model

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Generation, "collate", listening)
        patch.setattr(Generation, "load_model", remembering)
        found.before, threads = _state(), set(threading.enumerate())
        found.fit = check(shared_home)
        gc.collect()
        found.after = _state()
        found.threads = [each.name for each in threading.enumerate() if each not in threads]
    return found


def test_two_steps_are_made_on_the_longest_rows(seen: Seen, shared_home: Path):
    ready = prepared(shared_home)
    lengths = sorted((len(row) for row in ready.prepared.train), reverse=True)
    first = seen.batches.index(lengths[:BATCH])  # what the model was tried with comes before
    assert seen.batches[first + 1] == lengths[:BATCH]
    assert len(seen.batches[first + 2]) == BATCH
    assert max(seen.batches[first + 2]) < lengths[0]  # one of middle length, to tell how time grows


def test_its_figures_are_of_a_possible_run(seen: Seen, shared_home: Path):
    found = seen.fit
    assert found is not None
    assert found.problems == []
    assert found.seconds_per_step is not None
    assert found.seconds is not None
    assert 0 < found.seconds_per_step < found.seconds
    weights = sum(path.stat().st_size for path in _model_files(prepared(shared_home)))
    assert found.memory_bytes > 3.5 * weights  # themselves, gradients, two numbers of AdamW each
    assert found.memory_bytes <= found.free_bytes
    assert (found.batch_size, found.longest) == (BATCH, max(seen.batches[0]))
    assert "reckoned" in found.time_why
    assert f"{BATCH} rows" in found.memory_why


def _model_files(ready: Preparation) -> list[Path]:
    return list(Path(ready.model_folder.path).glob("*.safetensors"))


def test_several_processes_need_a_copy_of_each_gradient(seen: Seen, shared_home: Path):
    asked = request(batch_size=BATCH * 2) | {ASKED: 2}  # as many rows each as the other check's
    both = fit.fit_check(asked, shared_home, lambda: None, Control(shared_home))
    assert seen.fit is not None
    weights = sum(path.stat().st_size for path in _model_files(prepared(shared_home)))
    assert both.memory_bytes > 4.5 * weights
    assert both.memory_bytes > seen.fit.memory_bytes + 0.5 * weights


def test_nothing_is_left_behind(seen: Seen, shared_home: Path):
    assert seen.after == seen.before
    assert seen.threads == []  # those of earlier tests may end meanwhile
    assert seen.models
    assert all(model() is None for model in seen.models)
    assert {path.name for path in shared_home.iterdir()} == {"cache"}


def test_what_was_measured_is_not_measured_again(
    seen: Seen, shared_home: Path, monkeypatch: pytest.MonkeyPatch
):
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError

    monkeypatch.setattr(fit, "assemble", never)
    again, longer = check(shared_home), check(shared_home, epochs=4)
    assert seen.fit is not None
    assert (again.measured, again.seconds) == (seen.fit.measured, seen.fit.seconds)
    assert (longer.seconds or 0) > (again.seconds or 0)  # twice as many epochs, the same steps
    device = environment.device(ask_torch=True)
    assert fit.kept(prepared(shared_home), shared_home, device) is not None
    for changed in ({"batch_size": 5}, {"max_length": 32}, {"lora_rank": 4, "method": "lora"}):
        assert fit.kept(prepared(shared_home, **changed), shared_home, device) is None
    with pytest.raises(AssertionError):
        check(shared_home, fresh=True)


def test_a_torn_cache_is_measured_again(tmp_path: Path):
    folder = tmp_path / "cache" / "fit"
    folder.mkdir(parents=True)
    device = environment.device(ask_torch=True)
    (folder / f"{measurement.key(prepared(tmp_path), device)}.json").write_text('{"set')
    assert check(tmp_path).problems == []


@pytest.mark.parametrize("more", [{}, {"method": "lora"}, {"gradient_checkpointing": True}])
def test_a_run_may_measure_the_model_that_it_trains(tmp_path: Path, more: dict[str, Any]):
    ready = prepared(tmp_path, gradient_accumulation=3, **more)
    reporter, control = Unlogged(tmp_path, tmp_path), Control(tmp_path)
    device = environment.device(ask_torch=True)
    model = assemble(ready, device, control, reporter)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    forward, random_state = model.forward, torch.get_rng_state()
    found = fit.measure(ready, model, device, control, reporter, load_seconds=1.0)
    assert isinstance(found, Measurement)
    assert found.setting.gradient_accumulation == 3
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters())
    assert model.forward == forward
    assert torch.equal(torch.get_rng_state(), random_state)
    assert not untouched.checkpoints(model)


def test_it_ends_when_asked(tmp_path: Path):
    control = Control(tmp_path)

    def stop(message: str) -> None:
        if message.startswith("Measuring"):
            control.stop()

    with pytest.raises(Stopped):
        fit.fit_check(request(), tmp_path, lambda: None, control, on_stage=stop)


# ------------------------------------------------------------ where memory runs out


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A device whose allocator refuses batches of more than so many rows."""
    most, step = [2], LeanTrainer.training_step

    def refusing(trainer: Any, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if rows_of(inputs) > most[0]:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB.")
        return step(trainer, model, inputs, *args, **kwargs)

    monkeypatch.setattr(LeanTrainer, "training_step", refusing)
    return most


@pytest.mark.usefixtures("little")
def test_out_of_memory_is_a_verdict_with_what_fits(tmp_path: Path):
    found = check(tmp_path, batch_size=8, gradient_checkpointing=False)
    (problem,) = found.problems
    assert (problem.code, problem.severity, problem.field) == ("fit.memory", "error", "batch_size")
    assert "batches of 8 and 4" in problem.message
    assert "LoRA" in problem.message
    assert problem.fix is not None
    assert {c.field: c.value for c in problem.fix.set or []} == {
        "batch_size": 2,
        "gradient_accumulation": 4,
    }
    assert {c.node for c in problem.fix.set or []} == {"f1"}
    assert found.batch_size == 2
    assert not list((tmp_path / "cache" / "fit").glob("*.json"))  # later there may be more


def test_where_nothing_fits_it_says_what_takes_less(tmp_path: Path, little: list[int]):
    little[0] = 0
    found = check(tmp_path, batch_size=2, max_length=128)
    assert (found.seconds, found.seconds_per_step) == (None, None)
    (problem,) = found.problems
    assert problem.fix is not None
    assert {c.field: c.value for c in problem.fix.set or []} == {
        "method": "lora",
        "learning_rate": None,
    }
    assert "max length" in problem.message
    found = check(tmp_path, batch_size=1, max_length=128, method="lora")
    assert found.problems[0].fix is not None
    assert [c.field for c in found.problems[0].fix.set or []] == ["max_length"]


def test_weights_that_cannot_fit_are_not_even_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    loaded = []
    monkeypatch.setattr(fit, "free_bytes", lambda: 1_000_000)
    monkeypatch.setattr(Generation, "load_model", lambda *_: loaded.append(1))
    found = check(tmp_path)
    assert (loaded, [p.code for p in found.problems]) == ([], ["fit.memory"])
    assert found.memory_bytes > found.free_bytes
    assert "counted" not in found.memory_why
    assert "reckoned" in found.memory_why


def test_the_machine_keeps_a_reserve(monkeypatch: pytest.MonkeyPatch):
    model = torch.nn.Linear(2, 2)
    peak = memory.Peak()
    monkeypatch.setattr(memory, "_free_of_machine", lambda: 0)

    def work() -> None:
        while True:
            model(torch.zeros(1, 2))

    with peak, peak.guard(model), pytest.raises(MemoryError) as error:
        work()
    assert memory.ran_out(error.value)
    assert not model._forward_pre_hooks


def test_what_is_no_want_of_memory_is_none():
    assert not memory.ran_out(ValueError("out of memory lane"))
    wrapped = StudioError([])
    wrapped.__cause__ = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried ...")
    assert memory.ran_out(wrapped)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of the address space are Linux's")
def test_a_limited_address_space_is_survived(tmp_path: Path):
    """The real allocator refuses; in a process of its own, which the limit may keep."""
    script = f"""
import json, resource, sys
import psutil
sys.path.insert(0, {str(Path(__file__).parent)!r})
from test_fit import check
from pathlib import Path
home = Path({str(tmp_path)!r})
check(home, batch_size=1, subset_size=8)  # what the libraries take is taken before the limit
limit = psutil.Process().memory_info().vms + 100_000_000
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
found = check(
    home, "builtin:shakespeare", batch_size=256, subset_size=512, max_length=128,
    gradient_checkpointing=False,
)
print(found.model_dump_json())
"""
    script = script.replace('home, "builtin:shakespeare",', 'home, source="builtin:shakespeare",')
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "EASYMODEL_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = Fit(**json.loads(done.stdout.splitlines()[-1]))
    assert [problem.code for problem in found.problems] == ["fit.memory"]
    assert found.free_bytes <= 500_000_000  # and not what the machine has


# ------------------------------------------------------------ inside a run


def test_a_run_that_is_small_for_its_device_pays_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    ready = prepared(tmp_path)
    reporter, control = Unlogged(tmp_path, tmp_path), Control(tmp_path)
    device = environment.device(ask_torch=True)
    model = assemble(ready, device, control, reporter)
    monkeypatch.setattr(fit, "measure", lambda *_, **__: pytest.fail("it was measured"))
    monkeypatch.setattr(fit, "free_bytes", lambda: 10_000_000_000)
    assert fit.settle(ready, model, device, control, reporter, load_seconds=1.0) is None
    monkeypatch.setattr(fit, "free_bytes", lambda: 1_000_000)
    with pytest.raises(BaseException, match="it was measured"):
        fit.settle(ready, model, device, control, reporter, load_seconds=1.0)


@pytest.mark.usefixtures("little")
def test_a_run_finds_out_what_fits_before_its_plan_is_frozen(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fit, "free_bytes", lambda: 1_000_000)
    manager.submit(small(epochs=1, batch_size=8, subset_size=24, eval_size=4))
    run = manager.wait(timeout=PATIENCE)
    assert run.status == "finished", run.view.detail
    plan = run.plan
    assert plan is not None
    assert (plan["finetune"]["batch_size"], plan["finetune"]["gradient_accumulation"]) == (2, 4)
    reasons = {choice["field"]: choice["reason"] for choice in plan["choices"]}
    assert "batches of 8 and 4" in reasons["batch_size"]
    assert "real steps" in reasons["memory"]
    assert reasons["gradient_checkpointing"].startswith("batches of 8")
    assert "fit.smaller" in [warning.code for warning in run.view.warnings]
    assert run.view.attempt == 1  # nothing had to be repeated


def test_a_run_where_nothing_fits_says_what_would(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, little: list[int]
):
    little[0] = 0
    monkeypatch.setattr(fit, "free_bytes", lambda: 1_000_000)
    manager.submit(small(epochs=1, batch_size=2, subset_size=24, eval_size=4))
    run = manager.wait(timeout=PATIENCE)
    assert run.status == "failed"
    assert run.view.problem is not None
    assert (run.view.problem.code, run.view.problem.field) == ("fit.memory", "method")


# ------------------------------------------------------------ the ladder


def test_the_ladder_begins_with_what_costs_the_result_nothing():
    rungs = list(verdict.ladder(FinetuneData(batch_size=8, max_length=512)))
    assert [next(iter(rung.set)) for rung in rungs] == [
        "gradient_checkpointing", "batch_size", "method", "max_length",
    ]  # fmt: skip
    assert all(rung.why for rung in rungs)
    least = FinetuneData(batch_size=1, max_length=64, method="lora", gradient_checkpointing=True)
    assert list(verdict.ladder(least)) == []


@pytest.mark.parametrize(("batch", "accumulation"), [(8, 1), (5, 1), (6, 4), (7, 3), (64, 2)])
def test_every_setting_learns_from_as_many_rows_a_step(batch: int, accumulation: int):
    asked = FinetuneData(batch_size=batch, gradient_accumulation=accumulation)
    tried = list(verdict.settings(asked, checkpointing=True))
    rows = {setting.batch_size * setting.gradient_accumulation for setting in tried}
    assert rows == {batch * accumulation}
    assert tried[-1].batch_size == 1
    assert [setting.gradient_checkpointing for setting in tried[:2]] == [False, True]
    asked = asked.model_copy(update={"gradient_checkpointing": False})  # that was the user's word
    assert not any(s.gradient_checkpointing for s in verdict.settings(asked, checkpointing=True))


def test_tried_settings_are_named_once():
    def at(size: int, *, checkpointing: bool = False) -> Setting:
        return Setting(
            batch_size=size, gradient_accumulation=1, gradient_checkpointing=checkpointing
        )

    assert verdict.in_words([at(8)]) == "a batch of 8"
    assert verdict.in_words([at(8), at(4)]) == "batches of 8 and 4"
    said = verdict.in_words([at(8), at(8, checkpointing=True), at(4, checkpointing=True)])
    assert said == "batches of 8 and 4, also with gradient checkpointing"


def test_the_threads_of_a_run_are_chosen_for_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(planning, "free_cores", lambda: (3, "3 of 4 cores are free"))
    threads, used = torch.get_num_threads(), []
    monkeypatch.setattr(fit, "_measured", lambda *_: used.append(torch.get_num_threads()))
    with pytest.raises(AttributeError):  # nothing was measured
        check(tmp_path)
    assert (used, torch.get_num_threads()) == ([3], threads)

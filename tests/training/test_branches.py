"""Branches of one workflow: what they share is done once, and a sweep is trained run by run."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fake_hub import Hub, Repo, fake_hub
from small_runs import chained, several, small

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError
from easymodel_nb.report.top import run_label
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import cache
from easymodel_nb.train.api import train
from easymodel_nb.train.measuring import Measurer
from easymodel_nb.workflow.document import Workflow

TINY = {"epochs": 1, "subset_size": 24, "eval_size": 8}


class Once:
    """Counts what should be done once, over all runs of a test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.baselines = 0
        self.built = 0
        self._count(monkeypatch, Measurer, "_measure_base", self._baseline)
        cached = cache.cached

        def counted(home: Path, key: str, schema: Any, build: Callable[[], Any]) -> Any:
            def building() -> Any:
                self.built += 1
                return build()

            return cached(home, key, schema, building)

        monkeypatch.setattr(cache, "cached", counted)

    def _baseline(self) -> None:
        self.baselines += 1

    @staticmethod
    def _count(
        monkeypatch: pytest.MonkeyPatch, owner: type, name: str, told: Callable[[], None]
    ) -> None:
        plain = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            told()
            return plain(*args, **kwargs)

        monkeypatch.setattr(owner, name, call)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> Once:
    return Once(monkeypatch)


def finished(runs: list[Run]) -> list[Run]:
    assert [run.status for run in runs] == ["finished"] * len(runs), [r.view.detail for r in runs]
    return runs


def entries(home: Path, what: str) -> int:
    return len(list((home / "cache" / what).iterdir()))


def differ(workflow: Workflow, **values: list[Any]) -> Workflow:
    """Each finetune node with its own value of these fields."""
    for field, listed in values.items():
        for node, value in zip(workflow.of_type("finetune"), listed, strict=True):
            node.data[field] = value
    return workflow


# ------------------------------------------------------------ shared work


def test_three_branches_tokenise_and_measure_the_base_once(home: Path, once: Once):
    workflow = differ(several(3, **TINY), learning_rate=[1e-3, 1e-4, 1e-4], batch_size=[8, 8, 4])
    runs = finished(train(workflow))
    assert (
        once.built == entries(home, "tokens") == 2
    )  # rows that are trained, rows that are measured
    assert once.baselines == entries(home, "baselines") == 1
    told = [point.analytics.model_dump()["details"].get("baseline") for run in runs
            for point in run.view.points if point.step == 0]  # fmt: skip
    assert [from_ and from_["from"] for from_ in told] == [None, runs[0].id, runs[0].id]
    before = [run.metrics()["perplexity.validation"].iloc[0] for run in runs]
    assert len(set(before)) == 1


def test_adapters_and_all_weights_have_the_same_base(home: Path, once: Once):
    workflow = differ(several(2, **TINY), method=["full", "lora"])
    runs = finished(train(workflow))
    assert once.built == 2
    assert once.baselines == entries(home, "baselines") == 1
    before = [run.metrics()["perplexity.validation"].iloc[0] for run in runs]
    assert before[0] == before[1]


def test_a_chain_tokenises_once_and_measures_each_stage_s_own_base(home: Path, once: Once):
    runs = finished(train(chained(TINY, {**TINY, "learning_rate": 1e-4})))
    assert once.built == entries(home, "tokens") == 2
    assert once.baselines == entries(home, "baselines") == 2  # the second begins with another model
    ends, begins = (
        run.metrics()["perplexity.validation"].iloc[place]
        for run, place in zip(runs, (-1, 0), strict=True)
    )
    assert begins == pytest.approx(ends, rel=1e-5)


ROWS = [{"prompt": f"Say number {n}:", "target": f" It is number {n}."} for n in range(40)]


def test_branches_fetch_model_and_data_from_the_hub_once(tmp_path: Path):
    with fake_hub() as hub:
        files = {p.name: p.read_bytes() for p in builtin.path("tiny-gpt2").iterdir()}
        hub.models["someone/model"] = Repo({"main": files})
        rows = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
        hub.datasets["someone/data"] = Repo({"main": {"train.jsonl": rows}})
        workflow = several(
            3, source="someone/data", model="someone/model", epochs=1, subset_size=None
        )
        runs = by_command(differ(workflow, seed=[1, 2, 3]), hub, tmp_path)
        fetched = Counter(
            path.rsplit("/", 1)[-1] for method, path, _ in hub.requests if method == "GET"
        )
        large = Counter(path for method, path, _ in hub.cdn.requests if method == "GET")
    assert [run.status for run in runs] == ["finished"] * 3
    assert {fetched[name] for name in files} <= {0, 1}, fetched
    assert fetched["train.jsonl"] == 1
    assert set(large.values()) <= {1}, large


def by_command(workflow: Workflow, hub: Hub, folder: Path) -> list[Run]:
    """The runs of `easymodel train`: the Hub's client reads its address when it is imported."""
    document = folder / "workflow.json"
    document.write_text(json.dumps(workflow.dump()))
    done = subprocess.run(
        [sys.executable, "-m", "easymodel_nb", "train", document, "--json"],
        env=os.environ | hub.environment(folder / "hub") | {"EASYMODEL_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    ids = dict.fromkeys(event["run_id"] for event in events)
    assert ids, done.stderr
    return [Run(folder / "home" / "runs" / name) for name in ids]


# ------------------------------------------------------------ sweeps


@pytest.mark.usefixtures("home")
def test_a_sweep_is_a_run_of_each_value_named_and_trained_as_if_alone(once: Once):
    workflow = small(**TINY, sweep={"learning_rate": [1e-4, 1e-3]})
    low, high = finished(train(workflow))
    assert once.built == 2
    assert once.baselines == 1
    assert [run.plan["finetune"]["learning_rate"] for run in (low, high)] == [1e-4, 1e-3]
    assert [run.plan["finetune"]["sweep"] for run in (low, high)] == [{}, {}]
    assert [run_label(run.view, [low.view, high.view]) for run in (low, high)] == [
        "Run 1, learning_rate 0.0001",
        "Run 2, learning_rate 0.001",
    ]
    (alone,) = finished(train(small(**TINY, learning_rate=1e-3)))
    assert [p.loss for p in high.view.curve] == [p.loss for p in alone.view.curve]


def test_a_run_of_a_sweep_that_cannot_be_is_named_before_any_is_queued(home: Path):
    workflow = small(**TINY, sweep={"target_modules": [["no such layer"], ["c_attn"]]})
    workflow.nodes[2].data["method"] = "lora"
    with pytest.raises(StudioError, match="With target_modules no such layer: "):
        train(workflow)
    assert not (home / "runs").exists()

"""What a run measures of its answers: real runs of the built-in models, a few shared by all."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cutting import cut_within, prepared, workflow
from small_runs import small

from easymodel_nb.errors import StudioError
from easymodel_nb.metrics import judges
from easymodel_nb.runlog import scores
from easymodel_nb.runlog.headline import details
from easymodel_nb.runlog.log import RunLog, new_run
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.analytics import allowance, later
from easymodel_nb.train.api import train
from easymodel_nb.train.manager import RunManager

GROUPS = ("quality", "semantics", "efficiency")
AXES = ("overall", "fluency", "grammar", "relevance")
FIELDS: dict[str, Any] = {
    "analytics_budget": 0.1,
    "epochs": 2,
    "eval_size": 20,
    "max_new_tokens": 12,
    "prompt_field": "question",
    "target_field": "answer",
    "group_field": "topic",
}
_THINGS = ["lamp", "door", "radio", "window", "oven", "garden", "kettle", "heater"]


@pytest.fixture(autouse=True, scope="module")
def enough_time() -> Iterator[None]:
    """How much is measured must not depend on how busy this machine is."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(allowance, "FLOOR_SECONDS", 3600.0)
        yield


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions with answers of two sentences, in two groups of the user's."""
    folder = tmp_path_factory.mktemp("rows")
    for split, count in (("train", 48), ("validation", 20)):
        found = []
        for n in range(count):
            thing = f"{_THINGS[n % 8]} {n // 8 + (0 if split == 'train' else 50)}"
            answer = f"Please switch the {thing} on now. Then tell me that the {thing} is on."
            topic = "house" if n % 2 else "garden"
            found.append(
                {"question": f"How do I use the {thing}?", "answer": answer, "topic": topic}
            )
        lines = "".join(json.dumps(row) + "\n" for row in found)
        (folder / f"{split}.jsonl").write_text(lines, encoding="utf-8")
    return folder


def trained(home: Path, rows: Path, **fields: Any) -> Run:
    (run,) = train(small(str(rows), **{**FIELDS, **fields}), home=home)
    assert run.status == "finished", run.view.detail
    return run


@pytest.fixture(scope="module")
def still(home: Path, rows: Path) -> Run:
    """A run that learns nothing: its weights stay as they are."""
    return trained(home, rows, learning_rate=1e-30)


@pytest.fixture(scope="module")
def learned(home: Path, rows: Path, still: Run) -> Run:  # noqa: ARG001  after it
    return trained(home, rows, learning_rate=3e-3)


@pytest.fixture(scope="module")
def without(home: Path, rows: Path) -> Run:
    """The same on a machine without a judge."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(judges.OFF, "1")
        return trained(home, rows, learning_rate=3e-3)


def whole(run: Run) -> list[Any]:
    return [p for p in run.view.points if float(p.epoch).is_integer()]


def groups(run: Run) -> list[dict[str, Any]]:
    return [point.analytics.model_dump(include=set(GROUPS)) for point in whole(run)]


def lines(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run.folder / "samples.jsonl").read_text().splitlines()]


# ---------------------------------------------------------------- what stays the same


def test_a_model_that_does_not_learn_has_the_same_numbers_at_every_point(still: Run):
    base, *others = whole(still)
    assert [point.epoch for point in others] == [1, 2]
    for point in others:
        assert point.analytics.quality == base.analytics.quality
        now, before = (p.analytics.semantics.model_dump() for p in (point, base))
        assert now.pop("step")["value"] == 0
        before.pop("step")
        assert now == before
        assert now["drift"]["value"] == 0
        assert point.analytics.efficiency == base.analytics.efficiency
        assert point.analytics.efficiency.token_efficiency.value in (1.0, None)


def test_and_nothing_has_changed_nor_improved(still: Run):
    for point in whole(still)[1:]:
        found = point.analytics.changes
        assert {"perplexity.validation", "quality.overall", "semantics.consistency"} <= set(found)
        for name, change in found.items():
            if change.reason is None:
                assert (change.value, change.low, change.high) == (0, 0, 0), name


def test_answers_are_kept_of_every_point_of_the_same_prompts(still: Run):
    found = lines(still)
    assert [row["epoch"] for row in found] == [0] * 20 + [1] * 20 + [2] * 20
    by_epoch = [[row for row in found if row["epoch"] == epoch] for epoch in (0, 1, 2)]
    told = [[(r["index"], r["prompt"], r["text"], r["tokens"]) for r in some] for some in by_epoch]
    assert told[0] == told[1] == told[2]
    assert [row[0] for row in told[0]] == list(range(20))
    assert len({row[1] for row in told[0]}) == 20


def test_scores_are_kept_text_by_text(still: Run, learned: Run):
    for name, count in (("prompts", 20), ("validation", 20)):
        of = scores.read(still.folder, of=name)
        assert len({each.digest for each in of}) == 1
        assert of[0].digest
        assert of[0].digest == scores.read(learned.folder, of=name)[0].digest
        assert {len(column) for each in of for column in each.values.values()} == {count}
    prompts = scores.read(still.folder, of="prompts")
    assert [each.epoch for each in prompts] == [0, 1, 2]
    wanted = {*AXES, "tokens", "reference_tokens", "consistency"}
    assert wanted <= set(prompts[0].values)
    mean = sum(x or 0 for x in prompts[0].values["overall"]) / 20
    assert whole(still)[0].analytics.quality.overall.value == pytest.approx(mean)
    assert len(scores.read(still.folder, of="validation")) == len(still.view.points)


# ---------------------------------------------------------------- a run that learns


def test_a_run_that_learns_says_so(learned: Run):
    found = whole(learned)[-1].analytics.changes
    for name in ("perplexity.validation", "perplexity.train", "task.loss", "task.bits_per_byte"):
        assert found[name].high < 0, name
    assert found["perplexity.validation"].unit == "%"
    last, base = whole(learned)[-1].analytics, whole(learned)[0].analytics
    ratio = last.perplexity["validation"].value / base.perplexity["validation"].value
    assert found["perplexity.validation"].value == pytest.approx(100 * (ratio - 1))
    assert found["quality.relevance"].low > 0
    assert found["semantics.consistency"].low > 0
    assert last.semantics.drift.low > 0
    assert last.semantics.forgetting.value is not None
    assert "semantics.forgetting" in found


def test_the_base_says_who_judges_and_what_it_costs(still: Run):
    told = details(whole(still)[0].analytics)
    assert "@" in told["judges"]["relevance"]
    assert "Full fine-tuning" in told["judges"]["note"]
    assert told["references"]["overall"]["value"] > 0
    assert set(told["noise"]) == {"drift", "consistency", "mmd"}
    assert told["noise"]["drift"]["value"] > 0
    assert told["budget"]["prompts"] == 20
    assert told["budget"]["sentence"].startswith("20 prompts at base")
    assert told["counts"]["answers"] == 20


def test_groups_are_those_of_the_users_column(still: Run):
    assert details(whole(still)[0].analytics)["groups"] == "topic"
    found = whole(still)[0].analytics.efficiency.groups
    assert {(group.name, group.n) for group in found} == {("garden", 10), ("house", 10)}


def test_the_base_is_measured_once(still: Run, learned: Run):
    assert "baseline" not in details(whole(still)[0].analytics)
    assert details(whole(learned)[0].analytics)["baseline"]["from"] == still.id
    first, again = (
        p.analytics.model_dump(exclude={"details"}) for p in (whole(still)[0], whole(learned)[0])
    )
    assert again == first
    base = [[row for row in lines(run) if row["step"] == 0] for run in (still, learned)]
    assert base[0] == base[1]
    said = [
        json.loads(line).get("message") or ""
        for line in (learned.folder / "events.jsonl").read_text().splitlines()
    ]
    assert any(f"measured by run {still.id}" in message for message in said)


def test_another_setting_measures_it_anew(tmp_path: Path, rows: Path, folder: Path):
    model = str(folder / "generation")
    first = trained(tmp_path, rows, model=model, epochs=1)
    again = trained(tmp_path, rows, model=model, epochs=2)
    assert details(whole(again)[0].analytics)["baseline"]["from"] == first.id
    for changed in ({"max_new_tokens": 11}, {"group_field": None}, {"seed": 1}):
        run = trained(tmp_path, rows, model=model, epochs=1, **changed)
        told = details(whole(run)[0].analytics)
        assert "baseline" not in told, changed
    assert told["groups"] == "topic"


# ---------------------------------------------------------------- what is missing


def test_without_a_budget_there_is_perplexity_and_the_reason(
    tmp_path: Path, rows: Path, folder: Path
):
    run = trained(tmp_path, rows, model=str(folder / "generation"), analytics_budget=0, epochs=1)
    for point in whole(run):
        assert point.analytics.perplexity["validation"].value is not None
        assert "budget is 0" in point.analytics.quality.overall.reason
        assert "budget is 0" in point.analytics.semantics.drift.reason
    assert "perplexity.validation" in whole(run)[-1].analytics.changes
    assert [(s["epoch"], s["rows"]) for s in run.view.samples] == [(0, 16), (1, 16)]


def test_without_a_judge_the_answers_are_measured_later(
    monkeypatch: pytest.MonkeyPatch, without: Run, learned: Run
):
    for point in whole(without):
        assert "Judges are switched off" in point.analytics.semantics.drift.reason
        assert point.analytics.quality.relevance.judge == "words"
    assert len(lines(without)) == 60
    with monkeypatch.context() as patched:
        patched.setenv(judges.OFF, "1")
        with pytest.raises(StudioError, match="Judges are switched off"):
            later.measure(without.folder)
    said: list[str] = []
    assert later.measure(without.folder, tell=said.append) == 3
    assert said[0] == "Judging the answers of the base model"
    # The same as if the judge had been there.
    for now, then in zip(whole(Run(without.folder)), whole(learned), strict=True):
        assert now.analytics.quality == then.analytics.quality
        assert now.analytics.semantics.drift == then.analytics.semantics.drift
        assert now.analytics.efficiency == then.analytics.efficiency
        for name in ("quality.overall", "semantics.consistency"):
            assert now.analytics.changes.get(name) == then.analytics.changes.get(name)
    assert without.view.status == "finished"
    assert details(whole(without)[0].analytics)["judges"]["relevance"]
    measured = scores.read(without.folder, of="prompts")[-1].values
    assert measured["overall"] == scores.read(learned.folder, of="prompts")[-1].values["overall"]


def test_an_active_run_is_not_measured_later(tmp_path: Path):
    folder = new_run(tmp_path)
    request = {"node": {"id": "f1", "data": {}}, "model": {}, "dataset": {}}
    log = RunLog(folder)
    log.append("run_created", project_id=None, node_id="f1", request=request)
    before = (folder / "events.jsonl").read_text()
    with pytest.raises(StudioError):
        later.measure(folder)
    assert (folder / "events.jsonl").read_text() == before


def test_a_metric_that_fails_costs_only_its_own_numbers(
    tmp_path: Path, rows: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(**_: Any) -> Any:
        raise ZeroDivisionError("of nothing")

    monkeypatch.setattr(sys.modules["easymodel_nb.metrics.quality"], "calibrate", broken)
    run = trained(tmp_path, rows, model=str(folder / "generation"), epochs=1)
    last = whole(run)[-1].analytics
    assert "ZeroDivisionError: of nothing" in last.quality.overall.reason
    assert last.semantics.drift.value is not None
    assert last.efficiency.length_ratio.value is not None
    told = [w for w in run.view.warnings if w.code == "analytics.failed"]
    assert len(told) == 1
    assert told[0].severity == "note"


# ---------------------------------------------------------------- the other tasks, and a resume


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared(tmp_path_factory.mktemp("tasks"))


def told(run: Run) -> list[Any]:
    """Every number; not what depends on the clock or on the run before."""
    found = []
    for point in run.view.points:
        dumped = point.analytics.model_dump(mode="json")
        for name in ("budget", "baseline"):
            (dumped.get("details") or {}).pop(name, None)
        found.append((point.step, dumped))
    return found


@pytest.mark.parametrize("task", ["generation", "classification", "token_classification"])
def test_a_run_that_was_cut_off_measures_as_if_it_had_not_been(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path, task: str
):
    (one,) = manager.submit(workflow(folder, task, analytics_budget=0.1))
    assert manager.wait(one.id).status == "finished", one.view.detail
    with monkeypatch.context() as patched:
        cut_within(patched, 8)
        (run,) = manager.submit(workflow(folder, task, analytics_budget=0.1))
        manager.wait(run.id)
    assert run.status == "failed"
    manager.resume(run.id)
    assert manager.wait(run.id).status == "finished", run.view.detail
    assert told(run) == told(one)
    kept = [[(s.step, s.set, s.values) for s in scores.read(r.folder)] for r in (run, one)]
    assert kept[0] == kept[1]
    assert [{**row, "run": 0} for row in lines(run)] == [{**row, "run": 0} for row in lines(one)]
    if task == "generation":
        return
    last = whole(one)[-1].analytics
    assert last.quality is None
    assert last.efficiency is None
    found = details(last)
    assert found["predictions"]["since"] == "previous"  # the head is new
    assert 0 <= found["predictions"]["changed"]["value"] <= 1
    assert 0 <= found["predictions"]["js"]["value"] <= 1
    sure = found["calibration"]
    assert (sure["ece"]["value"] is None) == (sure["ece"]["n"] < 20) == (sure["bins"] == [])
    assert sum(row["n"] for row in found["by_group"]) == 3
    values = scores.read(one.folder, of="validation")[-1].values
    assert {"correct", "loss"} <= set(values)
    assert last.changes == {}  # a new head has nothing to compare with


def test_scores_of_other_judges_are_not_set_beside_those_of_the_base(
    manager: RunManager, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    with monkeypatch.context() as patched:
        cut_within(patched, 8)
        (run,) = manager.submit(workflow(folder, "generation", analytics_budget=0.1))
        manager.wait(run.id)
    assert details(whole(run)[0].analytics)["judges"]["semantics"]
    monkeypatch.setenv("EASYMODEL_NO_JUDGE", "1")  # goes on where there is no encoder
    manager.resume(run.id)
    assert manager.wait(run.id).status == "finished", run.view.detail
    last = whole(run)[-1].analytics
    assert last.perplexity["validation"].value is not None
    for group in (last.quality.overall, last.semantics.consistency):
        assert "judges are not those of the base model" in group.reason


def test_sequence_to_sequence_is_judged_on_what_chrf_is_measured_on(tmp_path: Path, folder: Path):
    (run,) = train(workflow(folder, "seq2seq", analytics_budget=0.1), home=tmp_path)
    assert run.status == "finished", run.view.detail
    assert len(lines(run)) == 9  # three prompts at three points
    last = whole(run)[-1].analytics
    assert last.task["chrf"].n == 3
    moved = last.task["chrf"].value - whole(run)[0].analytics.task["chrf"].value
    assert last.changes["task.chrf"].value == pytest.approx(moved)
    assert {"task.bleu", "task.rouge_l", "task.loss"} <= set(last.changes)
    assert "too few samples" in last.quality.overall.reason
    assert last.semantics.drift.n == 3
    assert "encoder-decoder" in last.semantics.forgetting.reason

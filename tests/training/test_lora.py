"""LoRA from the workflow to the merged model: what is trained, what is kept, what is refused."""

import json
import random
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from peft import PeftModel
from safetensors.torch import load_file
from small_runs import Ear, chained, small, stage
from tiny_models import make

from easymodel_nb import environment
from easymodel_nb.environment import Device
from easymodel_nb.errors import StudioError
from easymodel_nb.runlog import adapters
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import probing, saving
from easymodel_nb.train.api import train
from easymodel_nb.train.manager import RunManager
from easymodel_nb.trust.permits import NOTHING

TASKS = ("generation", "seq2seq", "classification", "token_classification")
LORA = {"method": "lora", "lora_rank": 4, "epochs": 3}
MORE = {"subset_size": 160, "epochs": 5}  # for a model with random weights
AUTO = {
    "generation": "AutoModelForCausalLM",
    "seq2seq": "AutoModelForSeq2SeqLM",
    "classification": "AutoModelForSequenceClassification",
    "token_classification": "AutoModelForTokenClassification",
}
# What is trained whole, because it is new: the head, and of BERT's without a pooler, that too.
HEADS = {
    "generation": (),
    "seq2seq": (),
    "classification": ("classifier",),
    "token_classification": ("classifier",),
}


KINDS = {"fruit": ["apple", "pear", "plum"], "tool": ["hammer", "saw"], "city": ["Paris", "Rome"]}
FILL = ["the", "a", "and", "with", "near", "of", "one", "is", "there", "here"]


def sentences(count: int, seed: int) -> list[dict[str, Any]]:
    """Words around the name of one thing, whose kind is the class; the name is its entity."""
    draw, rows = random.Random(seed), []
    for _ in range(count):
        kind = draw.choice(list(KINDS))
        words, place = draw.choices(FILL, k=6), draw.randrange(6)
        words[place] = draw.choice(KINDS[kind])
        tags = [f"B-{kind}" if i == place else "O" for i in range(6)]
        rows.append({"text": " ".join(words), "label": kind, "tokens": words, "tags": tags})
    return rows


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The data of each task: built in where text is written, small and easy where it is not."""
    root = tmp_path_factory.mktemp("data")
    found = dict.fromkeys(TASKS, "builtin:requests")
    for task, keys in (
        ("classification", ("text", "label")),
        ("token_classification", ("tokens", "tags")),
    ):
        (root / task).mkdir()
        for name, rows in (("train", sentences(160, 1)), ("validation", sentences(32, 2))):
            lines = [json.dumps({key: row[key] for key in keys}) for row in rows]
            (root / task / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
        found[task] = str(root / task)
    return found


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The base of each task; two of them are folders that a test may take away."""
    root = tmp_path_factory.mktemp("bases")
    words = [row["text"] for row in sentences(160, 1)]
    return {
        "generation": "builtin:tiny-gpt2",
        "seq2seq": "builtin:tiny-t5",
        "classification": str(make("bert", root / "bert", words)),
        "token_classification": str(make("distilbert", root / "distilbert", words)),
    }


@pytest.fixture(scope="module")
def runs(
    models: dict[str, str], data: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Run]:
    """One finished LoRA run a task."""
    home = tmp_path_factory.mktemp("home")
    found = {}
    for task in TASKS:
        more = MORE if HEADS[task] else {}
        workflow = small(data[task], model=models[task], task=task, **(LORA | more))
        (found[task],) = train(workflow, home=home)
    return found


def base_path(run: Run) -> Path:
    assert run.plan is not None
    return Path(run.plan["model"]["path"])


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def losses(run: Run) -> list[float]:
    return [event.loss for event in run._reader.events() if event.type == "progress"]


@pytest.mark.parametrize("task", TASKS)
def test_it_learns_and_its_plan_says_how(runs: dict[str, Run], task: str):
    run = runs[task]
    assert run.status == "finished", run.view.problem
    assert {warning.code for warning in run.view.warnings} <= {"rows.cut"}
    lines = losses(run)
    assert sum(lines[-3:]) < sum(lines[:3])
    plan = run.plan
    assert plan is not None
    model = plan["model"]
    assert 0 < model["trainable"] < model["parameters"] / 5
    assert not model["architecture"].startswith("Peft")
    chosen = {choice["field"]: choice for choice in plan["choices"]}
    assert chosen["lora_alpha"]["value"] == 2 * LORA["lora_rank"] == plan["finetune"]["lora_alpha"]
    assert chosen["target_modules"]["value"] == plan["finetune"]["target_modules"]
    assert chosen["trainable_parameters"]["value"] == model["trainable"]
    assert "ten times" in chosen["learning_rate"]["reason"]
    assert all(chosen[field]["reason"] for field in ("lora_alpha", "target_modules"))


@pytest.mark.parametrize("task", TASKS)
def test_only_adapters_and_new_heads_change(runs: dict[str, Run], task: str):
    run = runs[task]
    assert run.plan is not None
    assert run.model_path is not None
    modules, heads = run.plan["finetune"]["target_modules"], HEADS[task]
    body = getattr(transformers, AUTO[task]).from_pretrained(base_path(run)).state_dict()
    changed, same = set(), set()
    for name, weight in weights(run.model_path).items():
        if any(head in name for head in heads):
            continue
        (same if torch.equal(weight, body[name]) else changed).add(name.rpartition(".")[0])
    assert changed
    assert same
    assert all(name.rpartition(".")[2] in modules for name in changed)
    kept = load_file(saving.adapter_of(run.folder) / "adapter_model.safetensors")
    assert all(".lora_" in name or any(head in name for head in heads) for name in kept)
    assert len([name for name in kept if ".lora_B." in name]) == len(changed)
    trained = sum(weight.numel() for weight in kept.values())
    assert trained == run.plan["model"]["trainable"]


@pytest.mark.parametrize("task", TASKS)
def test_plain_transformers_and_peft_load_the_same(runs: dict[str, Run], task: str):
    run = runs[task]
    assert run.model_path is not None
    auto = getattr(transformers, AUTO[task])
    plain = auto.from_pretrained(run.model_path)
    loaded, tokenizer = run.load()
    assert type(loaded) is type(plain)
    assert not any("lora" in name for name, _ in loaded.named_modules())
    rows = probing.probe_rows(run.folder, tokenizer, plain)
    assert len(rows) == 8
    expected = probing.logits(plain, rows)
    assert probing.difference(expected, probing.logits(loaded, rows)).largest == 0
    folder = saving.adapter_of(run.folder)
    assert folder == run.model_path / "adapter"
    options = {"dtype": torch.float32, "ignore_mismatched_sizes": True}
    config = transformers.AutoConfig.from_pretrained(run.model_path)
    base = auto.from_pretrained(base_path(run), config=config, **options)
    adapted = PeftModel.from_pretrained(base, folder)
    assert probing.difference(expected, probing.logits(adapted, rows)).agrees
    again = adapters.load_adapted(folder, dtype=torch.float32)
    assert probing.difference(expected, probing.logits(again, rows)).agrees
    with adapted.disable_adapter():
        assert not probing.difference(expected, probing.logits(adapted, rows)).agrees


@pytest.mark.parametrize("task", TASKS)
def test_what_is_written_is_checked(runs: dict[str, Run], task: str):
    run = runs[task]
    checked = probing.Difference(**json.loads((run.folder / "merge.json").read_text()))
    assert checked.agrees
    assert checked.rows == 8
    assert "agree" in checked.sentence()
    assert run.model_path is not None
    names = {path.name for path in run.model_path.rglob("*")}
    assert {"model.safetensors", "adapter_model.safetensors", "adapter_config.json"} <= names
    assert not any(name.endswith((".bin", ".pt", ".pth", ".pkl")) for name in names)
    assert "README.md" not in names
    assert not (run.folder / "model.part").exists()
    ids = run.load()[0].config.id2label if HEADS[task] else {}
    assert all(not name.startswith("LABEL_") for name in ids.values())


def test_merging_again_gives_the_same_and_says_how_close(runs: dict[str, Run], tmp_path: Path):
    run, said = runs["classification"], []
    merged = saving.merge(run.folder, tmp_path / "merged", on_progress=said.append)
    assert merged.checked.agrees
    assert merged.path == tmp_path / "merged"
    assert [path.name for path in tmp_path.iterdir()] == ["merged"]
    assert said[0].startswith("Loading")
    one, other = weights(merged.path), weights(run.model_path)
    assert one.keys() == other.keys()
    assert all(torch.allclose(one[name], other[name], atol=1e-6) for name in one)
    auto = transformers.AutoModelForSequenceClassification.from_pretrained(merged.path)
    assert auto.config.id2label == run.load()[0].config.id2label


def spoiled(folder: Path, device: Any = "cpu", permit: Any = NOTHING) -> Any:
    """A model that was not written as it should be."""
    model = ORIGINAL(folder, device, permit)
    with torch.no_grad():
        next(model.parameters()).mul_(1.5)
    return model


ORIGINAL = saving._load


def test_a_merged_model_that_differs_is_removed(
    runs: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(saving, "_load", spoiled)
    with pytest.raises(StudioError) as caught:
        saving.merge(runs["seq2seq"].folder, tmp_path / "merged")
    (problem,) = caught.value.problems
    assert problem.code == "merge.differs"
    assert "do not agree" in problem.message
    assert list(tmp_path.iterdir()) == []
    assert saving.adapter_of(runs["seq2seq"].folder) is not None


@pytest.mark.parametrize("gone", ["disk", "memory"])
def test_too_large_to_merge_is_said_before(
    runs: dict[str, Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gone: str
):
    few = type("Few", (), {"free": 1 << 20, "available": 1 << 20})
    name, value = {
        "disk": ("shutil.disk_usage", lambda _: few),
        "memory": ("psutil.virtual_memory", lambda: few),
    }[gone]
    monkeypatch.setattr(name, value)
    with pytest.raises(StudioError) as caught:
        saving.merge(runs["generation"].folder, tmp_path / "merged")
    assert caught.value.problems[0].code == f"merge.{gone}"
    assert "adapters are safe" in caught.value.problems[0].message
    assert list(tmp_path.iterdir()) == []


def test_a_full_run_has_nothing_to_merge(tmp_path: Path):
    (run,) = train(small(epochs=1, subset_size=16, eval_size=8), home=tmp_path)
    assert saving.adapter_of(run.folder) is None
    assert saving.merged_of(run.folder) == run.model_path
    with pytest.raises(StudioError) as caught:
        saving.merge(run.folder, tmp_path / "merged")
    assert caught.value.problems[0].code == "merge.no_adapter"


def test_where_the_base_of_adapters_is(runs: dict[str, Run], tmp_path: Path):
    run = runs["seq2seq"]
    model = adapters.load_adapted(saving.adapter_of(run.folder))
    here = base_path(run)
    for known, expected in (
        ({"kind": "builtin", "path": str(here)}, (str(here), None)),
        ({"kind": "hub", "name": "a/b", "revision": "c0ffee", "path": "/gone"}, ("a/b", "c0ffee")),
        ({"kind": "builtin", "path": "/gone", "source": "builtin:tiny-t5"}, (str(here), None)),
    ):
        saving._write_adapter(model, tmp_path / "adapter", {"model": known})
        assert adapters.base_of(tmp_path / "adapter", {"model": known}) == expected
        settings = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
        if known["kind"] == "hub":  # for whoever loads it without us
            assert settings["base_model_name_or_path"] == "a/b"
            assert settings["revision"] == "c0ffee"
        else:
            assert Path(settings["base_model_name_or_path"]) == here


# ------------------------------------------------------------ adapters alone


def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "_why_not_merged", lambda *_: ("disk.merged", "No room."))


def test_adapters_alone_are_kept_loaded_merged_and_continued(
    models: dict[str, str],
    data: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    base = Path(shutil.copytree(models["classification"], tmp_path / "base"))
    tiny = {"epochs": 1, "subset_size": 32, "eval_size": 16, "method": "lora", "lora_rank": 4}
    workflow = chained({"task": "classification", "model": str(base), **tiny}, tiny)
    workflow.nodes[1].data["source"] = data["classification"]
    with monkeypatch.context() as patch:
        no_room(patch)
        (first,) = train(workflow, node="f1", home=tmp_path / "home")
    assert first.status == "finished"
    assert [w.code for w in first.view.warnings if w.code == "disk.merged"] == ["disk.merged"]
    assert first.model_path is not None
    assert adapters.holds_adapters_alone(first.model_path)
    assert saving.merged_of(first.folder) is None
    model, tokenizer = first.load()
    assert isinstance(model, PeftModel)
    assert len(model.config.id2label) == 3
    # The next node needs a whole model: it is merged then.
    (second,) = train(workflow, node="f2", home=tmp_path / "home")
    assert second.status == "finished", second.view.problem
    assert second.plan is not None
    merged = Path(second.plan["model"]["path"])
    assert merged == first.folder / "model-merged" == saving.merged_of(first.folder)
    rows = probing.probe_rows(first.folder, tokenizer, model)
    whole = transformers.AutoModelForSequenceClassification.from_pretrained(merged)
    assert probing.difference(probing.logits(model, rows), probing.logits(whole, rows)).agrees
    # Without its base the adapter is nothing, and the whole model of the second run is whole.
    base.rename(tmp_path / "moved")
    with pytest.raises(StudioError) as caught:
        first.load()
    assert caught.value.problems[0].code == "base.missing"
    assert str(base) in caught.value.problems[0].message
    assert second.load()[0].config.id2label == model.config.id2label


def test_a_merge_that_differs_at_the_end_keeps_the_adapters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(saving, "_load", spoiled)
    (run,) = train(small(method="lora", epochs=1, subset_size=16, eval_size=8), home=tmp_path)
    assert run.status == "finished"
    assert "merge.differs" in {w.code for w in run.view.warnings}
    assert run.model_path is not None
    assert adapters.holds_adapters_alone(run.model_path)
    assert not list(run.model_path.glob("model*.safetensors"))
    # transformers finds the base by itself.
    auto = transformers.AutoModelForCausalLM
    plain = auto.from_pretrained(run.model_path, dtype=torch.float32)
    loaded, tokenizer = run.load()
    rows = probing.probe_rows(run.folder, tokenizer, plain)
    both = probing.logits(plain, rows), probing.logits(loaded.float(), rows)
    assert probing.difference(*both).agrees


@pytest.mark.skipif(sys.platform == "win32", reason="it has no limits of file sizes")
def test_a_disk_that_fills_up_meanwhile_costs_no_adapter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    write = saving._write_adapter

    def limited(*arguments: Any) -> None:
        write(*arguments)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, before[1]))

    monkeypatch.setattr(saving, "_write_adapter", limited)
    try:
        (run,) = train(small(method="lora", epochs=1, subset_size=16, eval_size=8), home=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert run.status == "finished", run.view.problem
    (warning,) = (w for w in run.view.warnings if w.code == "disk.merged")
    assert "could not be written" in warning.message
    assert run.model_path is not None
    assert {path.suffix for path in run.model_path.iterdir()} <= {".json", ".safetensors", ".jinja"}
    assert [path.name for path in run.model_path.glob("*.safetensors*")] == [
        "adapter_model.safetensors"
    ]
    assert isinstance(run.load()[0], PeftModel)
    assert saving.merge(run.folder, tmp_path / "merged").checked.agrees


# ------------------------------------------------------------ beside other settings


def test_a_chain_continues_the_merged_model(tmp_path: Path):
    tiny = {"epochs": 1, "subset_size": 16, "eval_size": 8, "method": "lora", "lora_rank": 4}
    first, second = train(chained(tiny, {**tiny, "seed": 7}), home=tmp_path)
    assert (first.status, second.status) == ("finished", "finished")
    assert second.plan is not None
    assert second.plan["model"]["path"] == str(first.model_path)
    # What the first ended with is what the second begins with: its adapters change nothing yet.
    (again,) = train(chained(tiny, tiny), node="f2", home=tmp_path)
    ends = first.metrics()["perplexity.validation"].iloc[-1]
    begins = again.metrics()["perplexity.validation"].iloc[0]
    assert begins == pytest.approx(ends, rel=1e-4)


def test_checkpointing_changes_memory_and_not_the_loss(tmp_path: Path):
    tiny = {"epochs": 1, "subset_size": 16, "eval_size": 8, "method": "lora"}
    curves = [
        losses(train(small(gradient_checkpointing=on, **tiny), home=tmp_path)[0])
        for on in (True, False)
    ]
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)
    assert curves[0][-1] != curves[0][0]


def test_a_stopped_run_keeps_what_it_trained(manager: RunManager):
    ear = Ear()
    (run,) = manager.submit(small(method="lora", epochs=500), on_event=ear)
    begun = lambda event: event.type == "progress"  # noqa: E731
    ear.when(begun, lambda: manager.stop(run.id))
    assert manager.wait(run.id, timeout=120).status == "stopped"
    assert run.model_path is not None
    assert run.load()[0].config.model_type == "gpt2"
    assert saving.adapter_of(run.folder) is not None
    ear.wait(stage("saving"))


# ------------------------------------------------------------ refused


def refused(tmp_path: Path, **finetune: Any) -> Any:
    with pytest.raises(StudioError) as caught:
        train(small(**finetune), home=tmp_path)
    assert not list(tmp_path.glob("runs/*"))
    return next(p for p in caught.value.problems if p.severity == "error")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (["q_proj", "c_attn"], "no module 'q_proj'"),
        (["ln_1"], "cannot adapt 'ln_1'"),
        (["lm_head"], "cannot adapt 'lm_head'"),  # its weights are those of the embeddings
        ([], "empty"),
    ],
)
def test_modules_that_the_model_lacks(tmp_path: Path, wanted: list[str], says: str):
    problem = refused(tmp_path, method="lora", target_modules=wanted)
    assert (problem.code, problem.node, problem.field) == ("lora.modules", "f1", "target_modules")
    assert says in problem.message
    assert "'c_attn', 'c_fc', 'c_proj'" in problem.message
    (change,) = problem.fix.set
    assert (change.node, change.field, change.value) == ("f1", "target_modules", None)


def test_qlora_on_a_machine_without_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    none = Device(kind="cpu", name="CPU, 2 cores", memory_bytes=10**9)
    monkeypatch.setattr(environment, "device", lambda **_: none)
    with pytest.raises(StudioError) as caught:
        train(small(method="qlora"), home=tmp_path)
    (problem,) = caught.value.problems
    assert (problem.code, problem.node, problem.field) == ("method.needs_gpu", "f1", "method")
    assert list(tmp_path.glob("runs/*")) == []
    # Where only PyTorch can tell, the run looks before it reads any weights.

    def look(*, ask_torch: bool = False) -> Device:
        return none.model_copy(update={"known": ask_torch})

    monkeypatch.setattr(environment, "device", look)
    assert refused(tmp_path, method="qlora").code == "method.needs_gpu"


def test_a_rank_beyond_the_width_is_said(
    models: dict[str, str], data: dict[str, str], tmp_path: Path
):
    (run,) = train(
        small(data["classification"], model=models["classification"], task="classification",
              method="lora", lora_rank=64, epochs=1, subset_size=16, eval_size=8),
        home=tmp_path,
    )  # fmt: skip
    assert run.status == "finished"
    (problem,) = (w for w in run.view.warnings if w.code == "lora.rank")
    assert (problem.node, problem.field, problem.severity) == ("f1", "lora_rank", "note")
    assert "(32)" in problem.message
    assert [(c.node, c.value) for c in problem.fix.set] == [("f1", 16)]

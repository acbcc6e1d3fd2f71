"""QLoRA in 4 bits, where bitsandbytes is installed; on the CPU, which it can compute on as well.

Users are held to a GPU because there it is worth it; that is patched away here.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from small_runs import small

from easymodel_nb.runlog import adapters
from easymodel_nb.runlog.run import Run
from easymodel_nb.train import methods, probing, saving
from easymodel_nb.train.api import train
from easymodel_nb.workflow import check

pytest.importorskip("bitsandbytes", reason="QLoRA is tried where bitsandbytes is installed")
TINY = {"method": "qlora", "lora_rank": 4, "epochs": 2, "subset_size": 32, "eval_size": 16}


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch: pytest.MonkeyPatch):
    from bitsandbytes.backends.cpu import ops
    from bitsandbytes.nn import modules

    monkeypatch.setattr(check, "method_problems", lambda *_: [])
    monkeypatch.setattr(methods, "method_problems", lambda *_: [])
    for module in (ops, modules):  # its fast kernels need widths of 64, and ours have 224
        monkeypatch.setattr(module, "has_avx512bf16", lambda: False, raising=False)


@pytest.fixture
def bases(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The models that got adapters."""
    seen: list[Any] = []
    wrap = methods.wrap

    def keep(model: Any, task: Any) -> Any:
        seen.append(wrap(model, task))
        return seen[-1]

    monkeypatch.setattr(methods, "wrap", keep)
    return seen


@pytest.mark.parametrize(
    ("task", "settings"),
    [
        ("generation", {}),
        ("seq2seq", {"model": "builtin:tiny-t5"}),
        ("classification", {"source": "builtin:intents"}),
    ],
)
def test_a_base_of_four_bits(tmp_path: Path, bases: list[Any], task: str, settings: dict[str, str]):
    (run,) = train(small(task=task, **settings, **TINY), home=tmp_path)
    assert run.status == "finished", run.view.problem
    losses = [event.loss for event in run._reader.events() if event.type == "progress"]
    assert losses[-1] < losses[0]
    kinds = {type(weight).__name__ for weight in bases[0].parameters()}
    assert "Params4bit" in kinds
    trained = {weight.dtype for weight in bases[0].parameters() if weight.requires_grad}
    assert trained == {torch.float32}
    plan = run.plan
    assert plan is not None
    assert plan["model"]["parameters"] == sum(w.numel() for w in whole(run).parameters())
    # Adapters alone: the base of 4 bits is no model to take away.
    assert "merge.quantized" in {warning.code for warning in run.view.warnings}
    assert run.model_path is not None
    assert adapters.holds_adapters_alone(run.model_path)
    model, tokenizer = run.load()
    assert isinstance(model, PeftModel)
    assert "Params4bit" not in {type(weight).__name__ for weight in model.parameters()}
    merged = saving.merge(run.folder, run.folder / saving.MERGED)
    assert merged.checked.agrees
    model = adapters.load_adapted(run.model_path, plan, dtype=torch.float32)
    rows = probing.probe_rows(run.folder, tokenizer, model)
    read = saving._load(merged.path)
    assert probing.difference(probing.logits(model, rows), probing.logits(read, rows)).agrees


def whole(run: Run) -> Any:
    """The same model, built anew from its config."""
    import transformers

    assert run.model_path is not None
    config = transformers.AutoConfig.from_pretrained(run.model_path / adapters.MODEL_CONFIG)
    return getattr(transformers, config.architectures[0])(config)

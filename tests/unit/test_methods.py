"""What is refused before a method is tried, and which modules of a model get adapters."""

import sys
from typing import Any

import pytest

from easymodel_nb import environment
from easymodel_nb.environment import Device
from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.store.first import first_workflow
from easymodel_nb.workflow import check_methods
from easymodel_nb.workflow.check import check
from easymodel_nb.workflow.check_methods import method_problems
from easymodel_nb.workflow.document import FinetuneData

CPU = Device(kind="cpu", name="CPU, 2 cores", memory_bytes=8 * 10**9)
GPU = Device(kind="cuda", name="NVIDIA T4", memory_bytes=16 * 10**9)


def problems(method: str, device: Device) -> list[Problem]:
    return method_problems(FinetuneData.model_validate({"method": method}), device)


@pytest.mark.parametrize("method", ["full", "lora"])
@pytest.mark.parametrize("device", [CPU, GPU])
def test_full_and_lora_are_for_every_device(method: str, device: Device):
    assert problems(method, device) == []


def test_qlora_is_refused_without_a_gpu():
    (problem,) = problems("qlora", CPU)
    assert (problem.code, problem.severity, problem.field) == (
        "method.needs_gpu",
        "error",
        "method",
    )
    assert "NVIDIA" in problem.message
    assert "CPU, 2 cores" in problem.message
    assert problem.fix is not None
    assert problem.fix.label == "Use LoRA"
    assert [(c.field, c.value) for c in problem.fix.set or []] == [("method", "lora")]


def test_qlora_is_refused_without_its_package(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(check_methods, "find_spec", lambda _: None)
    (problem,) = problems("qlora", GPU)
    assert problem.code == "method.needs_package"
    assert "pip install bitsandbytes" in problem.message
    monkeypatch.setattr(check_methods, "find_spec", lambda _: object())
    assert problems("qlora", GPU) == []


def test_a_device_that_is_not_known_yet_is_not_refused():
    assert problems("qlora", CPU.model_copy(update={"known": False})) == []


def test_check_refuses_qlora_on_its_node(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "device", lambda: CPU)
    workflow = first_workflow()
    workflow.nodes[2].data["method"] = "qlora"
    (problem,) = check(workflow)
    assert (problem.code, problem.node, problem.field) == ("method.needs_gpu", "f1", "method")
    assert problem.fix is not None
    (change,) = problem.fix.set or []
    assert change.node == "f1"
    workflow.nodes[2].data["method"] = change.value
    assert check(workflow) == []
    assert "bitsandbytes" not in sys.modules


# ------------------------------------------------------------ the modules of an architecture

SMALL = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "pad_token_id": 0,
}
SHAPES: dict[str, dict] = {
    "bert": SMALL,
    "roberta": SMALL,
    "distilbert": {"vocab_size": 60, "dim": 16, "hidden_dim": 32, "n_layers": 1, "n_heads": 2},
    "gpt2": {"vocab_size": 60, "n_embd": 16, "n_layer": 1, "n_head": 2, "pad_token_id": 0},
    "llama": {**SMALL, "num_key_value_heads": 2},
    "qwen2": {**SMALL, "num_key_value_heads": 2},
    "qwen3": {**SMALL, "num_key_value_heads": 2, "head_dim": 8},
    "mixtral": {**SMALL, "num_key_value_heads": 2, "num_local_experts": 2},
    "t5": {"vocab_size": 60, "d_model": 16, "d_kv": 8, "d_ff": 32, "num_layers": 1, "num_heads": 2},
    "bart": {
        "vocab_size": 60, "d_model": 16, "encoder_layers": 1, "decoder_layers": 1,
        "encoder_attention_heads": 2, "decoder_attention_heads": 2, "encoder_ffn_dim": 32,
        "decoder_ffn_dim": 32, "pad_token_id": 0, "eos_token_id": 2, "bos_token_id": 1,
    },
}  # fmt: skip
LLAMA = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
MODULES = [
    ("gpt2", "generation", {"c_attn", "c_proj", "c_fc"}, set()),
    ("llama", "generation", LLAMA, set()),
    ("qwen2", "generation", LLAMA, set()),
    ("qwen3", "generation", LLAMA, set()),
    ("mixtral", "generation", {"q_proj", "k_proj", "v_proj", "o_proj"}, set()),
    ("t5", "seq2seq", {"q", "k", "v", "o", "wi", "wo"}, set()),
    ("bart", "seq2seq", {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"}, set()),
    ("bert", "classification", {"query", "key", "value", "dense"}, {"classifier"}),
    ("roberta", "classification", {"query", "key", "value", "dense"}, {"classifier"}),
    ("gpt2", "classification", {"c_attn", "c_proj", "c_fc"}, {"score"}),
    ("llama", "classification", LLAMA, {"score"}),
    ("bart", "classification", {"q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"},
     {"classification_head"}),
    ("distilbert", "classification", {"q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"},
     {"pre_classifier", "classifier"}),
    ("bert", "token_classification", {"query", "key", "value", "dense"}, {"classifier"}),
    ("roberta", "token_classification", {"query", "key", "value", "dense"}, {"classifier"}),
]  # fmt: skip


def task_of(kind: str, name: str, **data: Any) -> tuple[Any, Any]:
    """A task whose model has random weights, and that model."""
    import torch
    import transformers

    from easymodel_nb.train import tasks
    from easymodel_nb.train.planning import Chooser
    from easymodel_nb.train.tasks.task import Context

    settings = FinetuneData.model_validate({"task": name, "method": "lora", **data})
    config = transformers.AutoConfig.for_model(kind, num_labels=2, **SHAPES[kind])
    context: Any = Context(chooser=Chooser(settings), control=None, reporter=None, config=config)
    task: Any = tasks.create(name, context)
    task.names = ("a", "b")
    torch.manual_seed(0)
    return task, getattr(transformers, task.auto_class).from_config(config)


@pytest.mark.parametrize(("kind", "name", "modules", "heads"), MODULES)
def test_the_body_gets_adapters_and_the_head_is_trained_whole(
    kind: str, name: str, modules: set[str], heads: set[str]
):
    import torch

    from easymodel_nb.train import methods

    task, model = task_of(kind, name, lora_rank=2)
    before = {n: w.clone() for n, w in model.named_parameters()}
    assert methods.check(task) == []
    wrapped = methods.wrap(model, task)
    assert set(task.context.chooser.data.target_modules) == modules
    trained = {n for n, w in wrapped.named_parameters() if w.requires_grad}
    for weight in trained:
        parts = set(weight.split("."))
        assert "lora_A" in parts or "lora_B" in parts or parts & heads, weight
        assert not ({"lora_A", "lora_B"} & parts and parts & heads), weight
    found = {n.split(".lora_")[0].rpartition(".")[2] for n in trained if ".lora_" in n}
    assert found == modules
    assert methods.bare(wrapped) is model
    assert methods.sizes(wrapped)[0] == sum(weight.numel() for weight in before.values())
    assert methods.counted(task) == methods.sizes(wrapped)
    # Nothing has changed yet: B is 0.
    rows = {"input_ids": torch.tensor([[5, 6, 2]])}  # 2 ends a text, where a head looks for it
    rows |= {"decoder_input_ids": rows["input_ids"]} if name == "seq2seq" else {}
    wrapped.eval()
    with torch.inference_mode():
        one = wrapped(**rows).logits
        with wrapped.disable_adapter():
            assert torch.equal(one, wrapped(**rows).logits)


def test_what_the_checkpoint_lacked_is_trained_whole():
    from easymodel_nb.train import methods

    task, model = task_of("bert", "classification")
    task.new_weights = frozenset({"bert.pooler.dense.weight", "classifier.weight"})
    task.resized = True
    wrapped = methods.wrap(model, task)
    trained = {n for n, w in wrapped.named_parameters() if w.requires_grad and "lora" not in n}
    names = {name.split(".modules_to_save")[0].rpartition("bert.")[2] for name in trained}
    assert names == {"pooler.dense", "base_model.model.classifier", "embeddings.word_embeddings"}
    assert not any("pooler" in n and "lora" in n for n, _ in wrapped.named_parameters())


def test_named_modules_are_taken_as_they_are():
    from easymodel_nb.train import methods

    for wanted, found in (
        (["q_proj"], 1),
        (["model.layers.0.mlp.up_proj"], 1),
        (["all-linear"], 7),
    ):
        task, model = task_of("llama", "generation", target_modules=wanted)
        wrapped = methods.wrap(model, task)
        assert (
            sum(n.endswith("lora_B.default.weight") for n, _ in wrapped.named_parameters()) == found
        )


def test_an_untied_head_may_be_named():
    from easymodel_nb.train import methods

    task, model = task_of("llama", "generation", target_modules=["lm_head"])
    model.config.tie_word_embeddings = task.context.config.tie_word_embeddings = False
    methods.wrap(model, task)
    assert any("lm_head.lora_A" in name for name, _ in model.named_parameters())


def test_a_peft_of_another_time_is_named(monkeypatch: pytest.MonkeyPatch):
    import peft

    from easymodel_nb.train import methods

    def lacking(*_: Any) -> Any:
        raise AttributeError("'T5Model' object has no attribute '_prepare'")

    monkeypatch.setattr(peft, "get_peft_model", lacking)
    with pytest.raises(StudioError) as caught:
        methods.wrap(*reversed(task_of("t5", "seq2seq")))
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("method.peft", "method")
    assert "pip install -U peft transformers" in problem.message
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(StudioError, match="does not fit"):
        methods.wrap(*reversed(task_of("gpt2", "generation")))


@pytest.mark.parametrize(("method", "rate"), [("full", 5e-5), ("lora", 5e-4), ("qlora", 5e-4)])
def test_adapters_learn_at_ten_times_the_rate(method: str, rate: float):
    from easymodel_nb.train import planning

    data = FinetuneData.model_validate({"task": "classification", "method": method})
    chooser = planning.Chooser(data)
    rates = ((40e6, 3e-4), (200e6, 5e-5))
    planning.fill_training(chooser, rates=rates, parameters=110_000_000, device=CPU, rows=10)
    assert chooser.data.learning_rate == pytest.approx(rate)
    (choice,) = (c for c in chooser.choices if c.field == "learning_rate")
    assert ("ten times" in choice.reason) == (method != "full")

"""What is refused before a method is tried, and which modules of a model get adapters."""

import sys

import pytest

from easymodel_nb import environment
from easymodel_nb.environment import Device
from easymodel_nb.errors import Problem
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

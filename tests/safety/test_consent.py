"""Weights that are a pickle are opened once the user allowed it, and code that comes along never.

The client reads HF_ENDPOINT when it is imported, so that the trainer has a process of its own.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from fake_hub import Hub
from safetensors.torch import load
from stock import model_files, stocked_hub

from easymodel_nb.trust import consents, questions
from easymodel_nb.widgets.methods import METHODS
from easymodel_nb.workflow.document import Workflow

MANY = Path(__file__).parents[1] / "hub" / "many_runs.py"
RAN = "it-was-run"


class Harmful:
    """Says so when it was unpickled."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path(RAN),)


def weights(*, harmful: bool = False) -> bytes:
    files = model_files()
    tensors: dict[str, Any] = load(files["model.safetensors"])
    if harmful:
        tensors["transformer.more"] = Harmful()
    file = io.BytesIO()
    torch.save(tensors, file)
    return file.getvalue()


def only_pickled(**more: Any) -> dict[str, bytes]:
    files = model_files()
    del files["model.safetensors"]
    return files | {"pytorch_model.bin": weights(**more)}


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with stocked_hub() as server:
        server.add("someone/pickled", only_pickled())
        server.add("someone/harmful", only_pickled(harmful=True))
        own = {"AutoConfig": "own.OwnConfig", "AutoModelForCausalLM": "own.OwnModel"}
        code = f"from pathlib import Path\nPath({RAN!r}).touch()\n".encode()
        coded = model_files(model_type="its-own-kind", auto_map=own) | {"own.py": code}
        server.add("someone/coded", coded)
        # The name of a kind that is known, with code all the same.
        server.add("someone/coded-too", model_files(auto_map=own) | {"own.py": code})
        yield server


def trained(hub: Hub, home: Path, *models: str) -> list[dict[str, Any]]:
    """What came of a run with each model, in a process of its own."""
    small = {"epochs": 1, "subset_size": 8, "eval_size": 8, "analytics_budget": 0}
    cases = [
        {
            "token": "",
            "workflow": {
                "nodes": [
                    {"id": "m", "type": "model", "data": {"source": model}},
                    {"id": "d", "type": "dataset", "data": {"source": "builtin:requests"}},
                    {"id": "f", "type": "finetune", "data": small},
                ],
                "edges": [
                    {"id": k, "source": k[0], "sourceHandle": k, "target": "f", "targetHandle": k}
                    for k in ("model", "dataset")
                ],
            },
        }
        for model in models
    ]
    done = subprocess.run(
        [sys.executable, MANY, home],
        input=json.dumps(cases),
        env=os.environ | hub.environment(home / "hf") | {"OMP_NUM_THREADS": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not (home / RAN).exists(), "code that came with a model was run"
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_pickles_are_asked_about_and_code_is_refused(hub: Hub, tmp_path: Path):
    asked, coded, known = trained(
        hub, tmp_path, "someone/pickled", "someone/coded", "someone/coded-too"
    )
    assert asked["problem"]["code"] == "model.pickled"
    assert asked["problem"]["node"] == "m"
    fix = asked["problem"]["fix"]
    assert fix["command"] == "consent"
    METHODS["consent"].params.model_validate(fix["params"])
    assert coded["problem"]["code"] == "model.code"
    assert known["status"] == "finished", "the architecture that Transformers knows, without it"

    # Allowed for this commit: the numbers are read, and code within is still refused.
    for name in ("pickled", "harmful"):
        commit = hub.models[f"someone/{name}"].commit("main")
        assert commit is not None
        consents.give(tmp_path, "pickled", f"someone/{name}", commit)
    fine, harmful = trained(hub, tmp_path, "someone/pickled", "someone/harmful")
    assert fine["status"] == "finished", fine
    assert harmful["status"] == "failed"

    # Another commit is another question.
    hub.models["someone/pickled"].put(only_pickled() | {"README.md": b"# changed"})
    (again,) = trained(hub, tmp_path, "someone/pickled")
    assert again["problem"]["code"] == "model.pickled"


def test_a_consent_is_of_a_repository_and_a_commit(tmp_path: Path):
    assert questions.pickled(tmp_path, "a/b", "a" * 40) is not None
    consents.give(tmp_path, "pickled", "a/b", "a" * 40)
    consents.give(tmp_path, "pickled", "c/d", "b" * 40)
    assert questions.pickled(tmp_path, "a/b", "a" * 40) is None
    assert questions.pickled(tmp_path, "a/b", "b" * 40) is not None
    assert questions.pickled(tmp_path / "elsewhere", "a/b", "a" * 40) is not None
    consents.withdraw(tmp_path, "pickled", "a/b", "a" * 40)
    assert questions.pickled(tmp_path, "a/b", "a" * 40) is not None
    assert consents.given(tmp_path, "pickled", "c/d", "b" * 40)


@pytest.mark.parametrize(
    "broken", ["", "[]", "{", '{"pickled": 3}', '{"pickled": [1]}', "\0", "[" * 9999]
)
def test_a_broken_file_allows_nothing(tmp_path: Path, broken: str):
    (tmp_path / consents.NAME).write_text(broken)
    assert not consents.given(tmp_path, "pickled", "a/b", "a" * 40)
    consents.give(tmp_path, "pickled", "a/b", "a" * 40)
    assert consents.given(tmp_path, "pickled", "a/b", "a" * 40)


def test_a_project_brings_no_consent(tmp_path: Path):
    document = {"consents": {"pickled": [f"a/b@{'a' * 40}"]}, "nodes": []}
    Workflow.read(document)
    assert not consents.given(tmp_path, "pickled", "a/b", "a" * 40)
    with pytest.raises(ValueError, match="commit"):
        METHODS["consent"].params.model_validate({"kind": "pickled", "repo": "a/b", "commit": "x"})

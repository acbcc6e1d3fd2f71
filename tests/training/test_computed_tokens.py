"""How many tokens the model computes in a whole run: a ratio of no machine's.

They are counted where they enter the embedding, so that whatever stands in the plan, what is
padded after all shows here.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import small

from easymodel_nb.runlog.run import Run
from easymodel_nb.train import api
from easymodel_nb.train.lean import LeanSteps

EPOCHS, ROWS = 2, 120
WASTE = 0.05  # of what is computed may be padding

# Model and data that come with the package, task, and whether rows lie end to end.
CASES = {
    "generation": ("tiny-gpt2", "requests", True),
    "plain text": ("tiny-gpt2", "shakespeare", True),
    "classification": ("minilm", "intents", True),
    "token classification": ("minilm", "slots", True),
    "sequence to sequence": ("tiny-t5", "requests", True),
    "a decoder of classes": ("tiny-gpt2", "intents", False),
}
TASKS = {
    "classification": "classification",
    "token classification": "token_classification",
    "sequence to sequence": "seq2seq",
    "a decoder of classes": "classification",
}


def counted(monkeypatch: pytest.MonkeyPatch, home: Path, name: str) -> tuple[Run, int, int]:
    """A run, the tokens that its steps computed, and how often the model went forward in them.

    Of an encoder-decoder both sides count.
    """
    computed, forwards, step = [0], [0], LeanSteps.training_step
    handles: dict[int, Any] = {}

    def counting(trainer: Any, model: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        if trainer.args.learning_rate and id(model) not in handles:

            def count(module: Any, inputs: tuple[Any, ...]) -> None:
                if module.training:
                    computed[0] += inputs[0].numel()

            def went(module: Any, _: Any) -> None:
                forwards[0] += module.training

            both = model.config.is_encoder_decoder  # and may share one embedding
            readers = (model.get_encoder(), model.get_decoder()) if both else (model,)
            embeddings = {id(e): e for e in (x.get_input_embeddings() for x in readers)}
            handles[id(model)] = [e.register_forward_pre_hook(count) for e in embeddings.values()]
            model.register_forward_pre_hook(went)
        found: torch.Tensor = step(trainer, model, *args, **kwargs)
        return found

    monkeypatch.setattr(LeanSteps, "training_step", counting)
    model, data, _ = CASES[name]
    task = {"task": TASKS[name]} if name in TASKS else {}
    workflow = small(
        f"builtin:{data}",
        model=f"builtin:{model}",
        **task,
        epochs=EPOCHS,
        subset_size=ROWS,
        max_length=128,
    )
    (run,) = api.train(workflow, home=home, on_ask=lambda _: None)
    assert run.view.status == "finished", run.view.problem
    return run, computed[0], forwards[0]


@pytest.mark.parametrize("name", CASES)
def test_a_run_computes_hardly_more_than_its_tokens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
):
    run, computed, forwards = counted(monkeypatch, tmp_path, name)
    real = run.view.summary["tokens"]
    assert real > 0
    if CASES[name][2]:
        assert computed == real
    else:
        assert real <= computed * (1 + 1e-9)
        assert 1 - real / computed < WASTE
    assert forwards == run.view.summary["steps"]  # none is made twice, none for nothing

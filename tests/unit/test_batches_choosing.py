"""What a model does not read the same is not used for it, and the plan says why."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers as tf

from easymodel_nb.train.batches.choosing import find, promises
from easymodel_nb.train.batches.padded import collate
from tests.unit.families import CAUSAL, ENCODERS, WORDS, examples, made


def task(*, padding_id: int = 0, rows: bool = False) -> Any:
    return SimpleNamespace(
        collate=lambda found: collate(found, padding_id),
        padding_id=padding_id,
        answers_rows=rows,
    )


@pytest.mark.parametrize("family", ["gpt2", "mistral"])
def test_a_language_model_reads_rows_end_to_end(family: str) -> None:
    model = made(CAUSAL[family](), tf.AutoModelForCausalLM)
    plan, why = find(task(), model, examples()[:4])
    assert (plan.layout, plan.order, plan.first_position) == ("flat", "shuffled", 0)
    assert "as by itself" in why
    assert promises(task(), model)
    assert model.training
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("rows", [False, True])
def test_roberta_counts_from_behind_its_padding(rows: bool) -> None:  # noqa: FBT001
    kind: Any = (
        tf.AutoModelForSequenceClassification if rows else tf.AutoModelForTokenClassification
    )
    model = made(ENCODERS["roberta"](), kind)
    plan, _ = find(task(padding_id=1, rows=rows), model, examples()[:4])
    assert (plan.layout, plan.first_position) == ("flat", 2)


def test_as_many_classes_as_tokens_are_no_tokens() -> None:
    model = made(ENCODERS["bert"](), tf.AutoModelForSequenceClassification)  # two classes
    plan, _ = find(
        task(rows=True), model, [example for example in examples() if len(example) == 2] * 3
    )
    assert plan.layout == "flat"


def test_a_model_that_does_not_ask_keeps_its_rows_side_by_side() -> None:
    config = tf.BloomConfig(vocab_size=WORDS, hidden_size=32, n_layer=2, n_head=4)
    model = made(config, tf.AutoModelForCausalLM)
    plan, why = find(task(), model, examples()[:4])
    assert (plan.layout, plan.order, plan.mask) == ("padded", "budgeted", "never")
    assert "BloomForCausalLM does not read rows end to end" in why
    assert not promises(task(), model)


def test_a_decoder_that_answers_rows_keeps_them_side_by_side() -> None:
    model = made(CAUSAL["llama"](), tf.AutoModelForSequenceClassification)
    plan, _ = find(task(rows=True), model, examples()[:4])
    assert (plan.layout, plan.order) == ("padded", "budgeted")
    assert not promises(task(rows=True), model)


def test_what_sees_its_neighbours_is_found_out() -> None:
    class Leaking(torch.nn.Module):
        """Mixes a little of the token before into each, whoever's it is."""

        def __init__(self, inner: torch.nn.Module) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, hidden: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.inner(hidden + 0.05 * hidden.roll(1, 1))
            return found

    model = made(CAUSAL["llama"](), tf.AutoModelForCausalLM)
    model.model.layers[0].mlp = Leaking(model.model.layers[0].mlp)
    plan, why = find(task(), model, examples()[:4])
    assert plan.layout == "padded"
    assert "otherwise" in why

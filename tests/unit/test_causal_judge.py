"""A causal model as judge: its sums against the model itself, gains, and what is left as it was."""

from typing import Any

import numpy as np
import pytest

from easymodel_nb import builtin
from easymodel_nb.metrics.causal import CausalJudge

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
FIT = ["The queen said to the king that he was right.", "He went to the house of his father."] * 9
PROMPTS = ["The king was in the castle with the queen.", "They went to sea in an old ship."]
TEXTS = ["The queen said to the king that he must go.", "The captain of the ship was drowned."]


@pytest.fixture(scope="module")
def parts() -> tuple[Any, Any]:
    folder = builtin.path("tiny-gpt2")
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    return model, transformers.AutoTokenizer.from_pretrained(folder)


@pytest.fixture(scope="module")
def judge(parts: tuple[Any, Any]) -> CausalJudge:
    return CausalJudge(*parts, FIT)


def by_hand(parts: tuple[Any, Any], context: str, text: str) -> float:
    model, tokenizer = parts
    head = [tokenizer.eos_token_id, *tokenizer(context)["input_ids"]]
    ids = torch.tensor([[*head, *tokenizer(text)["input_ids"]]])
    with torch.inference_mode():
        chances = model.eval()(ids).logits[0, :-1].double().log_softmax(-1)
    picked = chances.gather(1, ids[0, 1:, None])[len(head) - 1 :]
    return float(picked.sum())


def test_log_probability_is_the_models(judge: CausalJudge, parts: tuple[Any, Any]):
    expected = [by_hand(parts, "", text) for text in TEXTS]
    np.testing.assert_allclose(judge.log_probability(TEXTS), expected, rtol=1e-4)


def test_a_gain_is_what_the_prompt_adds_per_token(judge: CausalJudge, parts: tuple[Any, Any]):
    expected = [
        (by_hand(parts, prompt, text) - by_hand(parts, "", text)) / len(parts[1](text)["input_ids"])
        for prompt, text in zip(PROMPTS, TEXTS, strict=True)
    ]
    np.testing.assert_allclose(judge.prompt_gain(PROMPTS, TEXTS), expected, atol=1e-4)


def test_a_text_gains_more_by_its_own_prompt(judge: CausalJudge):
    own, other = judge.prompt_gain(PROMPTS, TEXTS), judge.prompt_gain(PROMPTS[::-1], TEXTS)
    assert own.sum() > other.sum()


def test_sentences_gain_by_those_before(judge: CausalJudge):
    texts = [[PROMPTS[0], TEXTS[0]], ["One sentence."], [], [*PROMPTS, *TEXTS]]
    gains = judge.next_sentence_gain(texts)
    assert np.isnan(gains).tolist() == [False, True, True, False]
    expected = judge.prompt_gain([PROMPTS[0]], [" " + TEXTS[0]])
    np.testing.assert_allclose(gains[:1], expected, atol=1e-4)


def test_slor_needs_words_counted_and_tells_order(judge: CausalJudge, parts: tuple[Any, Any]):
    scores = judge.slor(["He went to the house.", "house the to went he.", ""])
    assert scores[0] > scores[1]
    assert np.isnan(scores[2])
    with pytest.raises(ValueError, match="fit_texts"):
        CausalJudge(*parts).slor(TEXTS)


def test_batches_and_order_change_nothing(judge: CausalJudge):
    many = [*TEXTS, *PROMPTS, "A word.", TEXTS[0] * 5]
    together = judge.log_probability(many)
    np.testing.assert_allclose(judge.log_probability(many[::-1])[::-1], together, rtol=1e-4)
    alone = np.concatenate([judge.log_probability([text]) for text in many])
    np.testing.assert_allclose(alone, together, rtol=1e-4)


def test_what_is_longer_than_the_window_keeps_the_end_of_its_prompt(parts: tuple[Any, Any]):
    judge = CausalJudge(*parts, max_length=32)
    long = " ".join(["Many words came before."] * 40)
    cut = judge.prompt_gain([f"{long} {PROMPTS[0]}"], TEXTS[:1])
    assert np.isfinite(cut).all()
    assert np.isfinite(judge.prompt_gain([long], [long])).all()


def test_logits_that_are_not_finite_are_told_by_text(parts: tuple[Any, Any]):
    model, tokenizer = parts
    broken = CausalJudge(_Broken(model), tokenizer, FIT)
    scores = broken.slor([TEXTS[0], "bad " * 30])
    assert np.isnan(scores).tolist() == [False, True]


class _Broken:
    """A model that is no number for long texts."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def __call__(self, attention_mask: Any, **inputs: Any) -> Any:
        def spoil(_: Any, __: Any, told: Any) -> None:
            told.last_hidden_state[attention_mask.sum(dim=1) > 25] = float("nan")

        hook = self._model.base_model.register_forward_hook(spoil)
        try:
            return self._model(attention_mask=attention_mask, **inputs)
        finally:
            hook.remove()


def test_the_identity_is_that_of_the_weights_without_an_adapter(parts: tuple[Any, Any]):
    peft = pytest.importorskip("peft")
    _, tokenizer = parts
    folder = builtin.path("tiny-gpt2")
    plain = transformers.AutoModelForCausalLM.from_pretrained(folder)
    identity = CausalJudge(plain, tokenizer).identity
    assert str(identity) == str(CausalJudge(*parts).identity)
    assert identity.id == "tiny-gpt2"
    config = peft.LoraConfig(task_type="CAUSAL_LM", target_modules=["c_attn"], fan_in_fan_out=True)
    adapted = CausalJudge(peft.get_peft_model(plain, config), tokenizer).identity
    assert adapted.hash == identity.hash
    with torch.no_grad():
        plain.transformer.h[0].mlp.c_fc.weight.add_(0.01)
    assert CausalJudge(plain, tokenizer).identity.hash != identity.hash


def test_the_model_keeps_its_mode(parts: tuple[Any, Any]):
    model, tokenizer = parts
    model.train()
    CausalJudge(model, tokenizer, FIT).slor(TEXTS)
    assert model.training
    model.eval()

"""Perplexity equals computations written independently of it, whatever the batch looks like."""

import copy
import functools
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812  its usual name
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers.processors import TemplateProcessing
from transformers import AutoModelForCausalLM, AutoTokenizer, Trainer, TrainingArguments

from easymodel_nb import builtin, metrics
from easymodel_nb.metrics.perplexity import IGNORED, Perplexity, encode, score
from easymodel_nb.train.batches.padded import collate
from easymodel_nb.train.tasks.task import Example

CLOSE = 1e-5
module = sys.modules["easymodel_nb.metrics.perplexity"]  # the name is the function's
TEXTS = [
    "The cat sat on the mat and looked at the rain.",
    "Yes.",
    "A much longer sentence, with commas, numbers like 1984 and a few names: Ann, Bob, Zoë.",
    " Play some Don Ho on Netflix",
    "naïve café 東京 🙂",
    "the the the the the the",
]
PROMPTS = ["Describe a cat.", "Agree?", "", "Intent: play music\nRequest:", "Words:", "Repeat:"]
LONG = " ".join(TEXTS) * 3
few = settings(max_examples=12, deadline=None)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@functools.cache
def tokenizer() -> Any:
    return AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))


@functools.cache
def model() -> Any:
    return AutoModelForCausalLM.from_pretrained(builtin.path("tiny-gpt2")).eval()


def perplexity(texts: Sequence[str], **options: Any) -> Perplexity:
    return metrics.perplexity(model(), tokenizer(), texts, **options)


def ids_of(text: str) -> list[int]:
    return list(tokenizer()(text, add_special_tokens=False)["input_ids"])


def value_of(total: float, count: int) -> float:
    return math.exp(total / count)


@torch.inference_mode()
def nll_of(ids: list[int], first: int) -> tuple[float, int]:
    """The plainest way: one text at a time, one token after the other, from `first` on."""
    logits = model()(torch.tensor([ids])).logits[0].double()
    log_probabilities = logits - logits.logsumexp(dim=1, keepdim=True)
    scored = range(max(1, first), len(ids))
    return -sum(float(log_probabilities[i - 1, ids[i]]) for i in scored), len(scored)


def one_by_one(
    texts: Sequence[str], prompts: Sequence[str] | None = None, *, eos: bool = False
) -> tuple[float, int]:
    total, count = 0.0, 0
    for text, prompt in zip(texts, prompts or [""] * len(texts), strict=True):
        head = ids_of(prompt)
        ids = head + ids_of(text) + ([tokenizer().eos_token_id] if eos else [])
        nll, scored = nll_of(ids, len(head))
        total, count = total + nll, count + scored
    return total, count


@torch.inference_mode()
def hugging_face_recipe(ids: list[int], max_length: int, stride: int) -> tuple[float, int]:
    """As in "Perplexity of fixed-length models", with sums instead of a mean of means."""
    total, count, previous_end = 0.0, 0, 0
    for begin in range(0, len(ids), stride):
        end = min(begin + max_length, len(ids))
        window = torch.tensor([ids[begin:end]])
        labels = window.clone()
        labels[:, : -(end - previous_end)] = -100
        valid = int((labels[:, 1:] != -100).sum())
        if valid:
            total += float(model()(window, labels=labels).loss) * valid
        count, previous_end = count + valid, end
        if end == len(ids):
            break
    return total, count


# ------------------------------------------------------------ the value


@pytest.mark.parametrize("prompts", [None, PROMPTS])
@pytest.mark.parametrize("eos", [False, True])
def test_it_equals_one_text_at_a_time(prompts: list[str] | None, *, eos: bool):
    total, count = one_by_one(TEXTS, prompts, eos=eos)
    measured = perplexity(TEXTS, prompts=prompts, eos=eos)
    assert measured.value == pytest.approx(value_of(total, count), rel=CLOSE)
    assert (measured.tokens, measured.n) == (count, len([t for t in TEXTS if t]))
    assert measured.nll == pytest.approx(total, rel=CLOSE)
    assert measured.loss == pytest.approx(total / count, rel=CLOSE)


def test_it_equals_cross_entropy_of_everything_in_one_batch():
    encoded = [ids_of(text) for text in TEXTS]
    width = max(map(len, encoded))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in encoded])
    labels = torch.tensor([row + [-100] * (width - len(row)) for row in encoded])[:, 1:]
    with torch.inference_mode():
        logits = model()(ids, attention_mask=(labels.new_zeros(ids.shape) + (ids != 0))).logits
    total = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels.flatten(), reduction="sum")
    count = int((labels != -100).sum())
    assert perplexity(TEXTS).value == pytest.approx(value_of(float(total), count), rel=CLOSE)


@pytest.mark.parametrize("side", ["left", "right"])
def test_it_equals_torchmetrics(side: str):
    theirs = pytest.importorskip("torchmetrics.text").Perplexity(ignore_index=IGNORED)
    encoded = [ids_of(text) for text in TEXTS]
    width = max(map(len, encoded))
    for row in encoded:  # in batches of one, padded at either side
        pad = width - len(row)
        before = pad if side == "left" else 0
        ids = torch.tensor([[0] * before + row + [0] * (pad - before)])
        mask = torch.tensor([[0] * before + [1] * len(row) + [0] * (pad - before)])
        positions = (mask.cumsum(dim=1) - 1).clamp(min=0)
        with torch.inference_mode():
            logits = model()(ids, attention_mask=mask, position_ids=positions).logits
        labels = ids.masked_fill(mask == 0, IGNORED)
        labels[0, before] = IGNORED  # nothing precedes the first token
        theirs.update(logits[:, :-1], labels[:, 1:])
    assert perplexity(TEXTS).value == pytest.approx(float(theirs.compute()), rel=CLOSE)


@few
@given(st.lists(st.text(min_size=1, max_size=60), min_size=1, max_size=4))
def test_any_text_equals_one_by_one(texts: list[str]):
    texts = [text.encode("utf-8", "ignore").decode() for text in texts]
    total, count = one_by_one(texts, eos=True)
    measured = perplexity(texts, eos=True)
    if count == 0:
        assert measured.reason
    else:
        assert measured.value == pytest.approx(value_of(total, count), rel=CLOSE)
        assert measured.tokens == count


@pytest.mark.parametrize(("max_length", "stride"), [(32, 16), (32, 5), (20, 20), (64, 9), (16, 12)])
def test_a_long_text_equals_the_hugging_face_recipe(max_length: int, stride: int):
    total, count = hugging_face_recipe(ids_of(LONG), max_length, stride)
    measured = perplexity([LONG], max_length=max_length, stride=stride)
    assert measured.value == pytest.approx(value_of(total, count), rel=CLOSE)
    assert measured.tokens == count


def test_the_stride_is_half_the_window_unless_told():
    assert perplexity([LONG], max_length=32) == perplexity([LONG], max_length=32, stride=16)


def test_a_stride_of_the_whole_window_is_block_perplexity():
    ids = ids_of(LONG)
    blocks = [ids[start : start + 24] for start in range(0, len(ids), 24)]
    sums = [nll_of(block, 0) for block in blocks]
    total, count = sum(s for s, _ in sums), sum(c for _, c in sums)
    measured = perplexity([LONG], max_length=24, stride=24)
    assert measured.value == pytest.approx(value_of(total, count), rel=CLOSE)
    assert measured.tokens == len(ids) - len(blocks)


def test_more_context_never_hurts_on_average():
    play = (builtin.path("shakespeare") / "validation.txt").read_text(encoding="utf-8")[:4000]
    blocks, half, most = (perplexity([play], max_length=32, stride=s).loss for s in (32, 16, 6))
    assert (blocks or 0) > (half or 0) > (most or 0) > 0


def test_overlapping_windows_score_each_token_once():
    assert perplexity([LONG], max_length=32, stride=7).tokens == len(ids_of(LONG)) - 1


def test_the_window_is_never_longer_than_the_model():
    assert perplexity([LONG], max_length=10**9).value == perplexity([LONG]).value


# ------------------------------------------------------------ invariances


@few
@given(st.permutations(range(len(TEXTS))))
def test_the_order_does_not_matter(order: list[int]):
    measured = perplexity([TEXTS[i] for i in order], prompts=[PROMPTS[i] for i in order], eos=True)
    expected = perplexity(TEXTS, prompts=PROMPTS, eos=True)
    assert measured.value == pytest.approx(expected.value, rel=CLOSE)
    assert [pair[1] for pair in measured.per_text] == [expected.per_text[i][1] for i in order]


@pytest.mark.parametrize("budget", [1, 30, 60, 10**6])
def test_the_batches_do_not_matter(budget: int, monkeypatch: pytest.MonkeyPatch):
    expected = perplexity(TEXTS, eos=True).value
    monkeypatch.setattr(module, "TOKEN_BUDGET", {"cpu": budget})
    assert perplexity(TEXTS, eos=True).value == pytest.approx(expected, rel=CLOSE)


@pytest.mark.parametrize("side", ["left", "right"])
def test_the_tokenizer_s_padding_does_not_matter(side: str):
    changed = copy.deepcopy(tokenizer())
    changed.padding_side = side
    changed.pad_token = changed.eos_token  # a mask made from pad ids would drop the real ends
    measured = metrics.perplexity(model(), changed, TEXTS, eos=True)
    assert measured.value == pytest.approx(perplexity(TEXTS, eos=True).value, rel=CLOSE)


def test_a_tokenizer_without_a_pad_token():
    changed = copy.deepcopy(tokenizer())
    changed.pad_token = None
    assert metrics.perplexity(model(), changed, TEXTS).value == perplexity(TEXTS).value


def test_parts_of_a_corpus_add_up():
    parts = [perplexity(TEXTS[:2], eos=True), perplexity(TEXTS[2:], eos=True)]
    whole = perplexity(TEXTS, eos=True)
    assert whole.nll == pytest.approx(sum(part.nll for part in parts), rel=CLOSE)
    assert whole.tokens == sum(part.tokens for part in parts)
    assert whole.bytes == sum(part.bytes for part in parts)


# ------------------------------------------------------------ prompts, ends, beginnings


def test_prompt_and_text_are_joined_as_in_training():
    """Apart, so that the border lies where generation will begin; "ab" is not "a" + "b"."""
    prompt, text = "Intent: pl", "ay music"
    assert ids_of(prompt) + ids_of(text) != ids_of(prompt + text)
    (item,) = encode(tokenizer(), [text], prompts=[prompt], eos=True)
    assert item.ids == [*ids_of(prompt), *ids_of(text), tokenizer().eos_token_id]
    assert item.scored == [False] * len(ids_of(prompt)) + [True] * (len(ids_of(text)) + 1)


def test_the_labels_of_a_prompt_change_nothing():
    encoded = encode(tokenizer(), TEXTS, prompts=PROMPTS)
    windows = module._windows(encoded, 512, 256)
    for window in windows:
        known = encoded[window.text].scored
        assert [label != IGNORED for label in window.labels] == [
            scored and position > 0 for position, scored in enumerate(known)
        ]


def test_a_prompt_is_context():
    (reference,) = PROMPTS[3:4]
    with_it = perplexity(TEXTS[3:4], prompts=[reference], eos=True).value or 0
    other = perplexity(TEXTS[3:4], prompts=["zxq zxq zxq"], eos=True).value or 0
    assert with_it < other


def test_the_end_is_scored_when_asked_for():
    plain, ended = perplexity(TEXTS), perplexity(TEXTS, eos=True)
    assert ended.tokens == plain.tokens + len(TEXTS)
    total = sum(
        nll_of([*ids_of(text), tokenizer().eos_token_id], len(ids_of(text)))[0] for text in TEXTS
    )
    assert ended.nll - plain.nll == pytest.approx(total, rel=1e-4)


def test_the_first_token_is_context_only():
    assert perplexity(["Yes."]).tokens == len(ids_of("Yes.")) - 1
    assert perplexity(["Yes."], prompts=["Agree?"]).tokens == len(ids_of("Yes."))
    assert perplexity(["Yes."], prompts=[""]).tokens == len(ids_of("Yes.")) - 1


def test_a_bos_only_when_the_tokenizer_adds_one():
    adds = copy.deepcopy(tokenizer())
    adds.add_special_tokens({"bos_token": "<|endoftext|>"})
    silent = copy.deepcopy(adds)
    adds.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", adds.eos_token_id)]
    )
    assert encode(silent, ["Yes."]) == encode(tokenizer(), ["Yes."])
    (item,) = encode(adds, ["Yes."])
    assert item.ids == [adds.eos_token_id, *ids_of("Yes.")]
    measured = metrics.perplexity(model(), adds, ["Yes."])
    assert measured.tokens == len(ids_of("Yes."))  # then the first token is scored too
    nll, count = nll_of(item.ids, 1)
    assert measured.value == pytest.approx(value_of(nll, count), rel=CLOSE)


def test_a_long_prompt_is_cut_from_its_start_a_long_text_from_its_end():
    prompt, text, eos = ids_of(LONG), ids_of(TEXTS[0]), tokenizer().eos_token_id
    (item,) = encode(tokenizer(), [TEXTS[0]], prompts=[LONG], max_length=32, eos=True)
    room = 32 - len(text) - 1
    assert item.ids == [*prompt[-room:], *text, eos]
    (item,) = encode(tokenizer(), [LONG], prompts=[TEXTS[0]], max_length=32, eos=True)
    assert item.ids == prompt[:32]
    assert not item.scored[0]  # nothing is left before it
    assert all(item.scored[1:])


# ------------------------------------------------------------ purity


def test_no_global_random_state_is_drawn_from():
    states = random.getstate(), np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    perplexity(TEXTS, prompts=PROMPTS, eos=True)
    assert random.getstate() == states[0]
    assert (np.random.get_state()[1] == states[1]).all()  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[2])


def test_the_model_is_scored_in_eval_mode_and_every_module_keeps_its_mode():
    changed = copy.deepcopy(model())
    for block in changed.transformer.h:
        block.attn.resid_dropout.p = 0.5
    changed.train()
    changed.transformer.h[0].eval()
    before = [m.training for m in changed.modules()]
    measured = metrics.perplexity(changed, tokenizer(), TEXTS)
    assert measured.value == pytest.approx(perplexity(TEXTS).value, rel=CLOSE)
    assert [m.training for m in changed.modules()] == before


def test_the_mode_comes_back_after_an_error():
    changed = copy.deepcopy(model()).train()

    def fail(done: int) -> None:
        raise InterruptedError(done)

    with pytest.raises(InterruptedError):
        score(changed, encode(tokenizer(), TEXTS), max_length=64, on_texts=fail)
    assert all(m.training for m in changed.modules())


def test_twice_the_same():
    assert perplexity(TEXTS, eos=True) == perplexity(TEXTS, eos=True)


def test_progress_is_told_up_to_the_end():
    told: list[int] = []
    encoded = encode(tokenizer(), [*TEXTS, LONG])
    score(model(), encoded, max_length=32, on_texts=told.append)
    assert told == sorted(told)
    assert told[-1] == len(encoded)


# ------------------------------------------------------------ what there is to say beside the value


def test_the_interval_holds_the_value_and_depends_on_the_seed_alone():
    measured = perplexity(TEXTS, seed=3)
    assert measured.low is not None
    assert measured.high is not None
    assert measured.value is not None
    assert measured.low < measured.value < measured.high
    assert perplexity(TEXTS, seed=3).low == measured.low
    assert perplexity(TEXTS, seed=4).low != measured.low


def test_bits_per_byte():
    (text,) = TEXTS[4:5]
    first = tokenizer().decode(ids_of(text)[:1])
    measured = perplexity([text])
    assert measured.bytes == len(text.encode()) - len(first.encode())
    assert measured.bits_per_byte == pytest.approx(measured.nll / math.log(2) / measured.bytes)
    assert perplexity(["b" + text], prompts=["a"]).bytes == len(text.encode()) + 1


def test_what_is_written_down_has_the_fields_of_every_measured_value():
    assert set(perplexity(TEXTS).model_dump()) == {
        "value", "low", "high", "n", "reason", "judge", "unit",
    }  # fmt: skip


@pytest.mark.parametrize("texts", [[], [""], ["a"], ["", "a"]])
def test_nothing_to_score_is_a_reason_not_a_number(texts: list[str]):
    measured = perplexity(texts)
    assert (measured.value, measured.tokens, measured.n) == (None, 0, 0)
    assert measured.reason
    assert measured.loss is None
    assert measured.bits_per_byte is None


def test_an_empty_text_is_not_counted():
    assert perplexity(["", TEXTS[0]]).value == pytest.approx(perplexity([TEXTS[0]]).value)
    assert perplexity(["", TEXTS[0]]).n == 1
    assert perplexity([TEXTS[0]]).low is None  # one text has no spread


def broken(change: Callable[[Any], Any]) -> Any:
    changed = copy.deepcopy(model())
    with torch.no_grad():
        change(changed)
    return changed


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_broken_model_is_a_reason(value: float):
    changed = broken(lambda m: m.transformer.ln_f.weight.fill_(value))
    measured = metrics.perplexity(changed, tokenizer(), TEXTS)
    assert measured.value is None
    assert measured.reason == f"The model gave no finite probability for {len(TEXTS)} of 6 texts."


def test_a_perplexity_beyond_all_numbers_is_a_reason():
    changed = broken(lambda m: m.transformer.ln_f.weight.mul_(1e6))
    measured = metrics.perplexity(changed, tokenizer(), TEXTS)
    assert measured.value is None
    assert "too large" in (measured.reason or "")
    assert measured.loss is not None
    assert measured.loss > 700


def test_arguments_that_make_no_sense():
    with pytest.raises(ValueError, match="give one prompt a text"):
        perplexity(TEXTS, prompts=["one"])
    with pytest.raises(ValueError, match="at least 2"):
        perplexity(TEXTS, max_length=1)


# ------------------------------------------------------------ why this module exists


def test_the_trainer_s_own_number_is_another_one(tmp_path: Any):
    """`Trainer.evaluate` averages the means of its batches: it moves with their composition."""
    encoded = encode(tokenizer(), TEXTS, eos=True)
    rows = [
        Example(item.ids, [i if s else IGNORED for i, s in zip(item.ids, item.scored, strict=True)])
        for item in encoded
    ]

    def trainer_says(batch_size: int) -> float:
        arguments = TrainingArguments(
            output_dir=str(tmp_path),
            per_device_eval_batch_size=batch_size,
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            remove_unused_columns=False,
        )
        trainer = Trainer(model=model(), args=arguments, data_collator=collate, eval_dataset=rows)
        return math.exp(trainer.evaluate()["eval_loss"])

    ours = perplexity(TEXTS, eos=True).value
    assert trainer_says(len(rows)) == pytest.approx(ours, rel=1e-4)  # one batch: the same
    assert trainer_says(1) != pytest.approx(ours, rel=0.02)
    assert trainer_says(1) != pytest.approx(trainer_says(2), rel=0.005)

"""Answers are marked in any chat template: all of them, to their end token, and nothing else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from easymodel_nb import builtin
from easymodel_nb.metrics.perplexity import Encoded
from easymodel_nb.train.tasks.chat_template import Renderer, Unrenderable, plain_template

SPECIAL = [
    "<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|begin_of_text|>", "<|eot_id|>",
    "<|start_header_id|>", "<|end_header_id|>", "<start_of_turn>", "<end_of_turn>", "<bos>",
    "[INST]", "[/INST]", "<think>", "</think>",
]  # fmt: skip
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{% for message in messages %}{% set content = '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\n\n' + message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = '<|begin_of_text|>' + content %}{% endif %}"
    "{{ content }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{{ '<bos>' }}{% if messages[0]['role'] == 'system' %}"
    "{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"
    "{% endif %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
MISTRAL = (
    "{{ '<s>' }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}"
    "{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + ' [/INST]' }}"
    "{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}{% endfor %}"
)
# Leaves out the reasoning of every answer but the last, as Qwen3 does.
FORGETS = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}"
    "{% if message['role'] == 'assistant' and loop.last %}{{'<think>\n\n</think>\n\n'}}{% endif %}"
    "{{ message['content'] + '<|im_end|>\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# Tells its answers itself, and ends the block before the end token.
TELLS = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n'}}"
    "{% if message['role'] == 'assistant' %}{% generation %}{{ message['content'] }}"
    "{% endgeneration %}{% else %}{{ message['content'] }}{% endif %}{{'<|im_end|>\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# No special token at all: lines.
LINES = (
    "{% for message in messages %}{{ message['role'] + ': ' + message['content'] + '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}"
)
FAMILIES = {
    "chatml": (CHATML, "<|im_end|>"),
    "llama3": (LLAMA3, "<|eot_id|>"),
    "gemma": (GEMMA, "<end_of_turn>"),
    "mistral": (MISTRAL, "</s>"),
    "tells": (TELLS, "<|im_end|>"),
}


def tokenizer_with(template: str | None, **names: Any) -> PreTrainedTokenizerFast:
    made = Tokenizer(BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = BpeTrainer(
        vocab_size=400,
        special_tokens=SPECIAL,
        initial_alphabet=alphabet,
        show_progress=False,
    )
    said = "user assistant system How are you? Fine, thank you. The rule is to be brief.\n\n" * 20
    made.train_from_iterator([said], trainer)
    names = {"eos_token": "</s>", "pad_token": "<pad>", **names}
    found = PreTrainedTokenizerFast(tokenizer_object=made, **names)
    found.chat_template = template
    return found


TOKENIZERS = {name: tokenizer_with(template) for name, (template, _) in FAMILIES.items()}


def talk(*said: str, system: str | None = None) -> list[dict[str, str]]:
    turns = [{"role": "system", "content": system}] if system is not None else []
    for place, content in enumerate(said):
        turns.append({"role": ("user", "assistant")[place % 2], "content": content})
    return turns


def runs(tokenizer: Any, text: Encoded) -> list[str]:
    """The marked stretches, decoded with their special tokens."""
    found: list[list[int]] = []
    for place, (token, learn) in enumerate(zip(text.ids, text.scored, strict=True)):
        if learn and (place == 0 or not text.scored[place - 1]):
            found.append([])
        if learn:
            found[-1].append(token)
    return [tokenizer.decode(ids) for ids in found]


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_answer_is_marked_to_its_end(name: str):
    tokenizer, end = TOKENIZERS[name], FAMILIES[name][1]
    turns = talk("How are you?", "Fine, thank you.", "And now?", "Brief.\nTwo lines, ünï 🙂")
    (text,) = Renderer(tokenizer).encode(turns)
    whole = tokenizer.apply_chat_template(turns, tokenize=False)
    assert text.ids == tokenizer(whole, add_special_tokens=False)["input_ids"]
    assert [said.strip() for said in runs(tokenizer, text)] == [
        f"Fine, thank you.{end}",
        f"Brief.\nTwo lines, ünï 🙂{end}",
    ]
    space = 2 if name == "mistral" else 0  # its answers begin with a space, which is learned
    said = "Fine, thank you." + "Brief.\nTwo lines, ünï 🙂"
    assert text.bytes == len(said.encode()) + space


@pytest.mark.parametrize("name", ["chatml", "llama3", "tells"])
def test_rules_are_read_but_not_learned(name: str):
    tokenizer = TOKENIZERS[name]
    renderer = Renderer(tokenizer)
    assert not renderer.joins_system
    turns = talk("Hello", "Hi", system="Be brief.")
    assert renderer.fitting(turns) == turns
    (text,) = renderer.encode(turns)
    assert "Be brief." in tokenizer.decode(text.ids)
    assert len(runs(tokenizer, text)) == 1


@pytest.mark.parametrize("name", ["gemma", "mistral"])
def test_a_template_without_rules_gets_them_with_the_question(name: str):
    renderer = Renderer(TOKENIZERS[name])
    assert renderer.joins_system
    turns = renderer.fitting(talk("Hello", "Hi", system="Be brief."))
    assert turns == talk("Be brief.\n\nHello", "Hi")
    assert len(renderer.encode(turns)) == 1


@pytest.mark.parametrize("name", ["gemma", "mistral"])
def test_what_a_template_refuses_is_said_in_its_words(name: str):
    turns = talk("Hello", "Hi")
    with pytest.raises(Unrenderable, match="must alternate"):
        Renderer(TOKENIZERS[name]).encode([turns[0], *turns])


def test_an_answer_that_opens_is_context():
    tokenizer = TOKENIZERS["chatml"]
    (text,) = Renderer(tokenizer).encode(
        [{"role": "assistant", "content": "Welcome!"}, *talk("Hello", "Hi")]
    )
    assert runs(tokenizer, text) == ["Hi<|im_end|>"]


def test_answers_written_otherwise_than_the_last_become_texts_of_their_own():
    tokenizer = tokenizer_with(FORGETS)
    turns = talk("How are you?", "Fine.", "And now?", "Brief.")
    texts = Renderer(tokenizer).encode(turns)
    assert len(texts) == 2
    for text, until in zip(texts, (2, 4), strict=True):
        rendered = tokenizer.apply_chat_template(turns[:until], tokenize=False)
        assert text.ids == tokenizer(rendered, add_special_tokens=False)["input_ids"]
        (said,) = runs(tokenizer, text)
        assert said == f"<think>\n\n</think>\n\n{turns[until - 1]['content']}<|im_end|>"
        before, ids = Renderer(tokenizer).prompt(turns[: until - 1])
        assert rendered.startswith(before)
        assert text.ids[: len(ids)] == ids  # it is trained on what it will be asked with


def test_without_special_tokens_the_conversation_ends_with_the_end_token():
    tokenizer = tokenizer_with(LINES)
    (text,) = Renderer(tokenizer).encode(talk("How?", "So.", "And?", "Thus."))
    assert text.ids[-1] == tokenizer.eos_token_id
    assert text.scored[-1]
    first, last = runs(tokenizer, text)
    assert first.strip() == "So."
    assert last.replace("\n", "") == "Thus.</s>"


def test_the_built_in_model_s_template():
    tokenizer = AutoTokenizer.from_pretrained(builtin.path("tiny-gpt2"))
    (text,) = Renderer(tokenizer).encode(talk("Hello", "Hi there.", "Bye", "See you.", system="Be"))
    assert runs(tokenizer, text) == [" Hi there.<|endoftext|>", " See you.<|endoftext|>"]
    assert text.bytes == len(" Hi there. See you.")
    shown, ids = Renderer(tokenizer).prompt(talk("Hello", "Hi there.", "Bye", system="Be"))
    assert shown.endswith("User: Bye\nAssistant:")
    assert text.ids[: len(ids)] == ids


@pytest.mark.parametrize("names", [{}, {"bos_token": "<s>"}, {"eos_token": None}])
def test_the_plain_template_does_for_any_tokenizer(names: dict[str, Any]):
    tokenizer = tokenizer_with(None, **names)
    tokenizer.chat_template = plain_template(tokenizer)
    renderer = Renderer(tokenizer)
    assert not renderer.joins_system
    (text,) = renderer.encode(talk("Hello", "Hi", "Bye", "See you", system="Be brief."))
    end = tokenizer.eos_token or ""
    assert runs(tokenizer, text) == [f" Hi{end}", f" See you{end}"]
    assert tokenizer.decode(text.ids).startswith("System: Be brief.\nUser: Hello\nAssistant: Hi")


SAID = st.text(st.sampled_from("ab cé\n.🙂"), min_size=1, max_size=20).filter(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(SAID, min_size=2, max_size=6).filter(lambda said: len(said) % 2 == 0))
def test_marks_hold_for_any_words(said: list[str]):
    for name, tokenizer in TOKENIZERS.items():
        end = FAMILIES[name][1]
        turns = talk(*said)
        (text,) = Renderer(tokenizer).encode(turns)
        marked = runs(tokenizer, text)
        assert len(marked) == len(said) // 2
        for found, content in zip(marked, said[1::2], strict=True):
            assert found.endswith(end)
            assert found.removesuffix(end).strip() == content.strip()

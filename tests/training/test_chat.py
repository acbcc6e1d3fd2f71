"""Conversations: which are learned, what of them, and how answers end."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from small_runs import small
from transformers import AutoTokenizer

from easymodel_nb import builtin
from easymodel_nb.errors import StudioError
from easymodel_nb.metrics.perplexity import IGNORED
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.api import train
from easymodel_nb.train.tasks.chat import ChatRows
from easymodel_nb.train.tasks.windows import Windows

TINY = builtin.path("tiny-gpt2")
CHATML = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def talk(*said: str, system: str | None = None) -> list[dict[str, str]]:
    turns = [{"role": "system", "content": system}] if system else []
    for place, content in enumerate(said):
        turns.append({"role": ("user", "assistant")[place % 2], "content": content})
    return turns


def chats(count: int) -> list[list[dict[str, str]]]:
    return [talk(f"Say {n}", f"It is {n}.", "More", f"It is {n + 1}.") for n in range(count)]


def written(folder: Path, rows: list[Any], column: str = "messages") -> str:
    path = folder / "chats.jsonl"
    path.write_text("".join(json.dumps({column: row}) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def trained(source: str, **fields: Any) -> Run:
    (run,) = train(small(source, **{"epochs": 1, "subset_size": None, **fields}))
    assert run.status == "finished", run.view.detail
    return run


def model_without(folder: Path, *names: str) -> Path:
    """The built-in model, without some of what its tokenizer's config names."""
    shutil.copytree(TINY, folder)
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    for name in names:
        del config[name]
    path.write_text(json.dumps(config))
    return folder


def rows_of(tokenizer: Any, max_length: int = 512) -> ChatRows:
    return ChatRows(tokenizer, "messages", max_length)


def table(*conversations: Any) -> Any:
    import pyarrow as pa

    return pa.table({"messages": list(conversations)})


# ------------------------------------------------------------ runs


def test_only_answers_are_learned_and_scored(tmp_path: Path):
    """The perplexity is that of the assistant's tokens, told by the library's own mask."""
    run = trained(written(tmp_path, chats(40)), max_length=128)
    assert run.plan["finetune"]["messages_field"] == "messages"
    model, tokenizer = run.load()
    samples = run.samples()
    assert samples["prompt"].str.startswith("User: Say ").all()
    assert samples["prompt"].str.endswith("User: More\nAssistant:").all()
    total, count = 0.0, 0
    for prompt in samples["prompt"]:
        number = int(prompt.split("\n")[0].removeprefix("User: Say "))
        out = tokenizer.apply_chat_template(
            chats(40)[number], return_dict=True, return_assistant_tokens_mask=True
        )
        ids = torch.tensor([out["input_ids"]])
        with torch.inference_mode():
            chances = model(ids).logits.log_softmax(-1)[0, :-1]
        nll = -chances.gather(1, ids[0, 1:, None])[:, 0]
        mask = torch.tensor(out["assistant_masks"][1:], dtype=torch.bool)
        total += float(nll[mask].sum())
        count += int(mask.sum())
    assert len(samples) == run.plan["dataset"]["eval_rows"]
    measured = run.view.points[-1].analytics
    assert measured.task["loss"].value == pytest.approx(total / count, rel=1e-5)
    frame = run.metrics()
    assert frame["perplexity.validation"].iloc[-1] < frame["perplexity.validation"].iloc[0] / 2


def test_sharegpt_is_the_same_conversation(tmp_path: Path):
    names = {"user": "human", "assistant": "gpt"}
    other = [
        [{"from": names[turn["role"]], "value": turn["content"]} for turn in chat]
        for chat in chats(24)
    ]
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = trained(written(tmp_path / "a", chats(24)))
    two = trained(written(tmp_path / "b", other, "conversations"))
    assert two.plan["finetune"]["messages_field"] == "conversations"
    assert [p.loss for p in one.view.curve] == [p.loss for p in two.view.curve]


def test_what_cannot_be_learned_is_counted_with_why(tmp_path: Path):
    odd = [
        talk("a", "b")[:1] + talk("c", "d"),
        talk("Only a question"),
        [*talk("a"), {"role": "assistant", "content": "look", "tool_calls": [{"name": "f"}]}],
        [*talk("a"), {"role": "tool", "content": "42"}, {"role": "assistant", "content": "42"}],
    ]
    run = trained(written(tmp_path, chats(30) + odd))
    (note,) = [w for w in run.view.warnings if w.code == "rows.dropped"]
    assert note.message.startswith("4 conversations were left out: ")
    assert "1 do not alternate between user and assistant" in note.message
    assert "1 have no answer of the assistant to a question" in note.message
    assert "2 call tools, which cannot be learned yet" in note.message
    assert note.field == "messages_field"
    dataset = run.plan["dataset"]
    assert dataset["train_rows"] + dataset["eval_rows"] == 30


def test_nothing_to_learn_is_refused_with_why(tmp_path: Path):
    with pytest.raises(StudioError) as caught:
        train(small(written(tmp_path, [talk("a")] * 5 + [talk("b")] * 5)))
    (problem,) = caught.value.problems
    assert (problem.code, problem.field) == ("rows.empty", "messages_field")
    assert "have no answer of the assistant" in problem.message


# ------------------------------------------------------------ templates


def test_a_tokenizer_without_a_template_gets_a_plain_one(tmp_path: Path):
    model = str(model_without(tmp_path / "model", "chat_template"))
    source = written(tmp_path, chats(20))
    run = trained(source, model=model)
    (ask,) = [w for w in run.view.warnings if w.code == "chat.template"]
    assert ask.severity == "ask"
    assert ask.field == "messages_field"
    assert ask.fix is not None
    assert [(c.node, c.field, c.value) for c in ask.fix.set or []] == [
        (run.plan["node_id"], "accept", ["chat.template"])
    ]
    chosen = {choice["field"]: choice["value"] for choice in run.plan["choices"]}
    assert chosen["chat_template"] == "User: ... Assistant: ..."
    _, tokenizer = run.load()
    rendered = tokenizer.apply_chat_template(talk("Hi", "Hello"), tokenize=False)
    assert rendered == "User: Hi\nAssistant: Hello<|endoftext|>\n"
    accepted = trained(source, model=model, accept=["chat.template"])
    assert not [w for w in accepted.view.warnings if w.code == "chat.template"]


def test_the_end_of_a_turn_ends_an_answer(tmp_path: Path):
    """Also where it is another token than the tokenizer's end token."""
    folder = model_without(tmp_path / "model", "chat_template")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    spare = next(t for t in tokenizer.all_special_tokens if t != tokenizer.eos_token)
    tokenizer.chat_template = CHATML.replace("<|im_end|>", spare)
    tokenizer.save_pretrained(folder)
    said = [talk(f"Say {n}", "Yes") for n in range(40)]
    run = trained(
        written(tmp_path, said),
        model=str(folder),
        epochs=4,
        learning_rate=3e-3,
        max_new_tokens=12,
    )
    model, tokenizer = run.load()
    end = tokenizer.convert_tokens_to_ids(spare)
    assert end in model.generation_config.eos_token_id
    chosen = {choice["field"]: choice["value"] for choice in run.plan["choices"]}
    assert chosen["end_of_turn"] == spare
    lines = (run.folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    last = [row for row in map(json.loads, lines) if row["epoch"] == 4]
    assert [row["text"] for row in last] == ["Yes"] * len(last)
    assert {row["ended"] for row in last} == {"eos"}


def test_rules_join_the_question_where_the_template_has_no_place_for_them(tmp_path: Path):
    folder = model_without(tmp_path / "model", "chat_template")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = (
        "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        + CHATML
    )
    tokenizer.save_pretrained(folder)
    said = [talk(f"Say {n}", "Yes", system="Be brief.") for n in range(20)]
    run = trained(written(tmp_path, said), model=str(folder))
    chosen = {choice["field"]: choice["value"] for choice in run.plan["choices"]}
    assert chosen["system_turn"] == "written before the first question"
    assert run.samples()["prompt"].str.startswith("<|im_start|>user\nBe brief.\n\nSay ").all()


# ------------------------------------------------------------ length


def test_the_oldest_turns_leave_and_the_rules_stay():
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    turns = talk(*(f"turn {n} of this long talk" for n in range(12)), system="Be brief.")
    ((whole,),) = rows_of(tokenizer).encode([turns])
    assert not whole.cut
    rows = rows_of(tokenizer, len(whole.ids) // 2)
    ((text,),) = rows.encode([turns])
    said = tokenizer.decode(text.ids)
    assert text.cut
    assert len(text.ids) <= len(whole.ids) // 2
    assert said.startswith("System: Be brief.\nUser: turn ")
    assert said.endswith("Assistant: turn 11 of this long talk<|endoftext|>")
    assert "turn 0 " not in said
    # As many turns as fit: with two more it would be too long.
    first = int(said.split("User: turn ")[1].split()[0])
    more = [turns[0], *turns[1 + first - 2 :]]
    assert len(rows_of(tokenizer).encode([more])[0][0].ids) > len(whole.ids) // 2


@pytest.mark.parametrize(("question", "answer"), [("word " * 60, "short"), ("short", "word " * 60)])
def test_one_exchange_that_is_too_long_keeps_its_answer(question: str, answer: str):
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    ((text,),) = rows_of(tokenizer, 24).encode([talk(question, answer)])
    assert text.cut
    assert len(text.ids) == 24
    (example,) = Windows([text], 24)
    learned = [label for label in example.labels if label != IGNORED]
    said = tokenizer.decode(learned)
    assert (" " + answer + "<|endoftext|>").startswith(said)
    assert len(learned) == sum(text.scored)  # what is counted is what is learned
    if answer == "short":
        assert said == " short<|endoftext|>"


def test_a_sample_fits_with_its_answer():
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    turns = talk(*(f"turn {n} of this long talk" for n in range(12)))
    sample = rows_of(tokenizer).sample(turns, 40)
    assert len(sample.ids) <= 40
    assert sample.prompt.endswith("User: turn 10 of this long talk\nAssistant:")
    assert sample.reference == "turn 11 of this long talk"


def test_trailing_questions_are_left_off():
    tokenizer = AutoTokenizer.from_pretrained(TINY)
    rows = rows_of(tokenizer)
    (turns,) = rows.read(table(talk("a", "b", "c")))
    assert turns == talk("a", "b")
    assert not rows.dropped


# ------------------------------------------------------------ padding


@pytest.mark.parametrize("unknown", [False, True])
def test_a_tokenizer_without_padding_still_learns_to_end(tmp_path: Path, *, unknown: bool):
    folder = model_without(tmp_path / "model", "pad_token")
    if unknown:
        path = folder / "tokenizer_config.json"
        config = json.loads(path.read_text()) | {"unk_token": "<|pad|>"}
        path.write_text(json.dumps(config))
    rows = [{"prompt": f"Say {n}", "target": " yes"} for n in range(40)]
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    run = trained(str(path), model=str(folder), epochs=3, learning_rate=3e-3, max_new_tokens=8)
    chosen = {choice["field"]: choice for choice in run.plan["choices"]}
    assert chosen["pad_token"]["value"] == ("<|pad|>" if unknown else "<|endoftext|>")
    assert "names none" in chosen["pad_token"]["reason"]
    assert run.samples()["tuned"].eq(" yes").all()
    lines = (run.folder / "samples.jsonl").read_text(encoding="utf-8").splitlines()
    assert {row["ended"] for row in map(json.loads, lines) if row["epoch"] == 3} == {"eos"}
    assert run.load()[1].pad_token_id is not None

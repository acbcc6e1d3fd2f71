"""What is named, what is unclear, what is absent: choose() and candidates()."""

import json
import string
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train.roles import (
    Roles,
    as_text,
    candidates,
    choose,
    class_names,
    column_at,
    fill,
    take_rows,
    turns,
    value_at,
)
from easymodel_nb.workflow.document import FinetuneData

SAID = [f"The mill was shut for {n} days this spring." for n in range(20)]
TASKS: Any = ("generation", "classification", "seq2seq", "token_classification")


def problem(table: pa.Table, **finetune: Any) -> Problem:
    with pytest.raises(StudioError) as caught:
        choose(table, FinetuneData(**finetune))
    return caught.value.problems[0]


def fix_of(found: Problem) -> Any:
    assert found.fix is not None
    assert found.fix.set is not None
    return found.fix.set[0].value


# ------------------------------------------------------------ refused, with a sentence


def test_several_flags_are_asked_about():
    table = pa.table(
        {
            "comment_text": SAID,
            "toxic": [0, 1] * 10,
            "obscene": [0, 0, 1, 0] * 5,
            "threat": [1, 0] * 10,
        }
    )
    found = problem(table, task="classification")
    assert (found.code, found.field) == ("column.unclear", "label_field")
    assert "toxic, obscene, threat" in found.message
    assert fix_of(found) == "toxic"


def test_two_labels_that_are_equally_good():
    table = pa.table({"text": SAID, "coarse": ["a", "b"] * 10, "fine": ["c", "d"] * 10})
    found = problem(table, task="classification")
    assert found.message == (
        "Label field could not be chosen: 2 columns look like classes. "
        "Likely are coarse, fine: choose one."
    )
    assert fix_of(found) == "coarse"
    named = choose(table, FinetuneData(task="classification", label_field="fine"))
    assert (named.text, named.label) == ("text", "fine")


def test_measured_numbers_are_no_classes():
    table = pa.table(
        {"sentence1": SAID, "sentence2": SAID[::-1], "label": [n / 7 for n in range(20)]}
    )
    found = problem(table, task="classification")
    assert (found.code, found.field) == ("column.no_label", "label_field")
    assert "'label' holds measured numbers" in found.message


@pytest.mark.parametrize(
    ("task", "code", "field"),
    [
        ("generation", "column.no_text", "text_field"),
        ("classification", "column.no_text", "text_field"),
        ("seq2seq", "column.no_text", "prompt_field"),
        ("token_classification", "column.no_words", "text_field"),
    ],
)
def test_a_table_of_numbers(task: str, code: str, field: str):
    table = pa.table({"label": [1, 2] * 10, "size": list(range(20))})
    found = problem(table, task=task)
    assert (found.code, found.field) == (code, field)


def test_a_word_a_row_is_explained():
    table = pa.table({"word": ["Ada", "slept"] * 9, "tag": ["B-PER", "O"] * 9})
    found = problem(table, task="token_classification")
    assert "each row is one word" in found.message
    assert ".conll" in found.message


def test_a_text_without_a_target_for_seq2seq():
    found = problem(pa.table({"text": SAID}), task="seq2seq")
    assert (found.code, found.field) == ("column.no_target", "target_field")
    chat = [[{"role": "user", "content": "hi"}]]
    assert "generation" in problem(pa.table({"messages": chat}), task="seq2seq").message


@pytest.mark.parametrize("answers", [[" "] * 20, [None] * 20])
def test_a_target_without_any_value_is_not_passed_over(answers: list[Any]):
    roles = choose(pa.table({"prompt": SAID, "target": answers}), FinetuneData())
    assert (roles.prompt, roles.target) == ("prompt", "target")


@pytest.mark.parametrize("rows", [1, 2, 4])
@pytest.mark.parametrize(
    ("task", "row", "expected"),
    [
        ("generation", {"prompt": "a", "target": "b"}, ("prompt_field", "target_field")),
        ("generation", {"text": "a"}, ("text_field",)),
        ("generation", {"context": "The mill is shut today.", "question": "b", "answer": "c"},
         ("target_field", "template")),
        ("seq2seq", {"source": "a", "target": "b"}, ("prompt_field", "target_field")),
        ("classification", {"text": "a", "label": 1}, ("text_field", "label_field")),
        ("classification", {"premise": "a", "hypothesis": "b", "label": "x"},
         ("text_field", "text_pair_field", "label_field")),
        ("token_classification", {"tokens": ["a", "b"], "tags": ["O", "B-X"]},
         ("text_field", "label_field")),
    ],
)  # fmt: skip
def test_the_same_row_again_and_again(rows: int, task: Any, row: Any, expected: tuple[str, ...]):
    roles = choose(pa.Table.from_pylist([row] * rows), FinetuneData(task=task))
    assert tuple(roles.fields) == expected


def test_an_answer_may_be_a_number_and_a_constant_column_is_no_source():
    roles = choose(pa.table({"question": SAID, "answer": list(range(20))}), FinetuneData())
    assert (roles.prompt, roles.target) == ("question", "answer")
    table = pa.table({"source": ["cnn", "bbc"] * 10, "text": SAID, "summary": SAID[::-1]})
    roles = choose(table, FinetuneData(task="seq2seq"))
    assert (roles.prompt, roles.target) == ("text", "summary")


def test_many_texts_and_no_name_for_seq2seq():
    table = pa.table({"x_one": SAID, "x_two": SAID[::-1], "x_three": SAID})
    assert problem(table, task="seq2seq").code == "column.unclear"


def test_equally_long_texts_of_unknown_names():
    table = pa.table({"eins": SAID, "zwei": SAID[::-1]})
    found = problem(table, task="generation")
    assert (found.code, found.field, fix_of(found)) == ("column.unclear", "text_field", "eins")


# ------------------------------------------------------------ columns that are absent


@pytest.mark.parametrize(
    ("names", "wanted", "offered"),
    [
        (["review_text", "label"], "reviewText", "review_text"),
        (["Text", "label"], "text", "Text"),
        (["utterances", "label"], "utterance", "utterances"),
        (["label", "body"], "completely_other", "body"),
    ],
)
def test_a_renamed_column_is_offered(names: list[str], wanted: str, offered: str):
    columns: Any = {n: ["a", "b"] * 10 if n == "label" else SAID for n in names}
    found = problem(pa.table(columns), task="classification", text_field=wanted)
    assert (found.code, found.field) == ("column.missing", "text_field")
    if offered == "body":
        assert found.fix is None or fix_of(found) == offered
    else:
        assert fix_of(found) == offered


def test_a_nested_value_that_is_absent():
    table = pa.table({"translation": [{"en": "a", "de": "b"}]})
    found = problem(
        table, task="seq2seq", prompt_field="translation.fr", target_field="translation.de"
    )
    assert (found.code, found.field) == ("column.missing", "prompt_field")
    fine = choose(
        table,
        FinetuneData(task="seq2seq", prompt_field="translation.de", target_field="translation.en"),
    )
    assert (fine.prompt, fine.target, fine.reasons) == ("translation.de", "translation.en", ())


def test_names_with_dots_are_names():
    table = pa.table({"v1.text": SAID, "v1.label": ["a", "b"] * 10, "v1": [{"text": 1}] * 20})
    roles = choose(table, FinetuneData(task="classification"))
    assert (roles.text, roles.label) == ("v1.text", "v1.label")


def test_wide_tables_and_long_rows():
    wide = {f"s{n}": [f"{n} {said}" for said in SAID] for n in range(300)}
    table = pa.table(
        {**wide, "text": ["long " * 40_000 + str(n) for n in range(20)], "label": ["a", "b"] * 10}
    )
    roles = choose(table, FinetuneData(task="classification"))
    assert (roles.text, roles.text_pair, roles.label) == ("text", None, "label")


def test_any_place_in_a_list_may_be_named():
    table = pa.table({"q": SAID, "answers": [["a", "b", "c"]] * 20, "scores": [[1, 2]] * 20})
    data = FinetuneData(task="generation", prompt_field="q", target_field="answers[2]")
    assert choose(table, data).target == "answers[2]"
    data = FinetuneData(task="classification", text_field="q", label_field="scores[1]")
    assert choose(table, data).label == "scores[1]"


def test_the_group_field_must_be_there():
    table = pa.table({"text": SAID})
    assert problem(table, group_field="topic").field == "group_field"
    assert choose(table, FinetuneData(group_field="text")).text == "text"


def test_the_slots_of_a_template():
    table = pa.table({"q": SAID, "How?": SAID, "a": SAID})
    data = FinetuneData(template="{q} {a?} {How?}")
    assert choose(table, data).template == "{q} {a?} {How?}"
    assert problem(table, template="{q} {gone?}").field == "template"


def test_a_named_column_of_numbers_is_allowed():
    table = pa.table({"size": list(range(20)), "text": SAID, "label": ["a", "b"] * 10})
    assert choose(table, FinetuneData(task="classification", text_field="size")).text == "size"


def test_the_reasons_are_clauses():
    table = pa.table({"utterance": SAID, "intent": ["GetWeather", "PlayMusic"] * 10})
    roles = choose(table, FinetuneData(task="classification"))
    assert roles.reasons == (
        ("label_field", "intent",
         "the column is named 'intent' and it has 2 different values in 20 rows"),
        ("text_field", "utterance", "the column is named 'utterance'"),
    )  # fmt: skip


def test_what_is_likeliest_stands_first():
    table = pa.table(
        {
            "id": [f"a{n}" for n in range(20)],
            "translation": [{"en": s, "de": s[::-1]} for s in SAID],
            "answers": [{"text": [s]} for s in SAID],
            "label": ["a", "b"] * 10,
        }
    )
    offers = candidates(table, "seq2seq")
    assert offers["target_field"][0] == "answers.text[0]"
    assert offers["target_field"][-1] == "id"
    assert set(offers["prompt_field"][-2:]) == {"id", "answers.text[0]"}
    assert {"translation.en", "translation.de"} <= set(offers["prompt_field"])
    assert candidates(table, "classification")["label_field"][0] == "label"
    assert candidates(table, "classification")["text_field"][-1] != "translation.en"


# ------------------------------------------------------------ class names


def test_class_names_from_the_schema():
    def named(feature: Any, values: Any) -> list[str] | None:
        meta = {"huggingface": json.dumps({"info": {"features": {"x": feature}}})}
        return class_names(pa.table({"x": values}).replace_schema_metadata(meta), "x")

    label = {"names": ["no", "yes"], "_type": "ClassLabel"}
    assert named(label, [0, 1]) == ["no", "yes"]
    for kind in ("Sequence", "List", "LargeList"):
        assert named({"feature": label, "_type": kind}, [[0], [1]]) == ["no", "yes"]
    assert named([label], [[0], [1]]) == ["no", "yes"]
    assert named({"dtype": "int64", "_type": "Value"}, [0, 1]) is None
    broken = pa.table({"x": [0]}).replace_schema_metadata({"huggingface": "{"})
    assert class_names(broken, "x") is None
    nested = {"huggingface": json.dumps({"info": {"features": {"x": {"y": label}}}})}
    table = pa.table({"x": [{"y": 0}]}).replace_schema_metadata(nested)
    assert class_names(table, "x.y") == ["no", "yes"]
    assert class_names(table, "gone") is None


def test_class_names_from_the_column_beside():
    table = pa.table({"label": [1, 0, 1], "label_text": ["good", "bad", "good"]})
    assert class_names(table, "label") == ["bad", "good"]
    unclear = pa.table({"label": [1, 0, 1], "label_text": ["good", "bad", "bad"]})
    assert class_names(unclear, "label") is None
    gaps = pa.table({"label": [1, 4], "label_text": ["good", "bad"]})
    assert class_names(gaps, "label") is None


# ------------------------------------------------------------ templates and conversations


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"a": "x", "b": "y"}, "### A:\nx\n\n### B:\ny\n\n### R:\n"),
        ({"a": "x", "b": ""}, "### A:\nx\n\n### R:\n"),
        ({"a": "x", "b": None}, "### A:\nx\n\n### R:\n"),
        ({"a": "", "b": "y"}, None),
    ],
)
def test_an_optional_slot_takes_its_block_along(row: dict[str, Any], expected: str | None):
    assert fill("### A:\n{a}\n\n### B:\n{b?}\n\n### R:\n", row) == expected


def test_optional_slots_elsewhere():
    assert fill("{b?}\n\n{a}", {"a": "x", "b": ""}) == "x"
    assert fill("\n\n{a}\n\n{b?}", {"a": "x", "b": ""}) == "\n\nx"
    assert fill("{a} {b?}!", {"a": "x", "b": ""}) == "x !"
    assert fill("{b?}", {"b": ""}) is None
    assert fill("Well, {How?}", {"How?": "so"}) == "Well, so"


@pytest.mark.parametrize(
    ("value", "roles"),
    [
        ([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "ua"),
        ([{"from": "system", "value": "s"}, {"from": "human", "value": "a"},
          {"from": "gpt", "value": "b"}], "sua"),
        (["a", "b", "c"], "uau"),
        ([{"speaker": "Ann", "text": "a"}, {"speaker": "Bob", "text": "b"}], "ua"),
        ([{"role": "user", "content": "a"}, {"role": "Sam", "content": "b"}], "ua"),
        ({"role": ["user", "assistant"], "content": ["a", "b"]}, "ua"),
        ([{"input": "a", "output": "b"}, {"input": "c", "output": None}], "uau"),
    ],
)  # fmt: skip
def test_conversations(value: Any, roles: str):
    said = turns(value)
    assert said is not None
    assert "".join(turn["role"][0] for turn in said) == roles
    assert [turn["content"] for turn in said if turn["role"] != "system"] == list("abc")[
        : len(said) - roles.count("s")
    ]


@pytest.mark.parametrize(
    "value", [None, [], "text", [1, 2], [{"a": 1}], [[]], {}, {"role": []}, [""]]
)
def test_no_conversation(value: Any):
    assert turns(value) is None


# ------------------------------------------------------------ any table at all

NAMES = st.sampled_from(
    ["text", "label", "messages", "tokens", "tags", "question", "context", "answer", "id", "a.b",
     "x[0]", "", " ", "Text", "translation", "input", "output", "title?"]
) | st.text(string.printable, max_size=8)  # fmt: skip
CELL = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**40), 2**40), st.floats(), st.text(max_size=30)
)


def columns_of(rows: int) -> Any:
    def fixed(elements: Any) -> Any:
        return st.lists(elements, min_size=rows, max_size=rows)

    texts = st.none() | st.text(max_size=30)
    ints = st.none() | st.integers(-5, 5)
    turn = st.fixed_dictionaries({"role": texts, "content": texts})
    return st.one_of(
        fixed(texts), fixed(ints), fixed(st.none()), fixed(st.none() | st.floats()),
        fixed(st.none() | st.booleans()), fixed(st.none() | st.lists(texts, max_size=4)),
        fixed(st.none() | st.lists(ints, max_size=4)),
        fixed(st.none() | st.lists(turn, max_size=3)),
        fixed(st.none() | st.fixed_dictionaries({"en": texts, "de": texts})),
        fixed(st.none() | st.fixed_dictionaries({"text": st.lists(texts, max_size=3)})),
        fixed(st.none() | st.dates()), fixed(st.none() | st.binary(max_size=3)),
        fixed(st.none() | st.lists(st.lists(ints, max_size=2), max_size=2)),
    )  # fmt: skip


@st.composite
def tables(draw: Any) -> pa.Table:
    rows = draw(st.integers(0, 12))
    names = draw(st.lists(NAMES, max_size=5))
    arrays = [pa.array(draw(columns_of(rows))) for _ in names]
    return pa.table(arrays, names=names) if names else pa.table({})


def tried(table: pa.Table, **finetune: Any) -> tuple[Roles | None, list[Problem]]:
    try:
        return choose(table, FinetuneData(**finetune)), []
    except StudioError as error:
        return None, error.problems


@given(tables(), st.sampled_from(TASKS))
def test_choose_gives_roles_or_a_sentence(table: pa.Table, task: Any):
    roles, problems = tried(table, task=task)
    if roles is None:
        assert problems
        for found in problems:
            assert found.field
            assert found.message.endswith((".", "]}."))
        return
    assert roles.fields
    for field, path, why in roles.reasons:
        assert roles.fields[field] == path
        assert why


@given(tables(), st.sampled_from(TASKS))
def test_every_candidate_may_be_named(table: pa.Table, task: Any):
    for field, paths in candidates(table, task).items():
        assert len(set(paths)) == len(paths)
        for path in paths[:3]:
            roles, problems = tried(table, task=task, **{field: path})
            assert all(found.field != field for found in problems)
            assert roles is None or roles.fields[field] == path


@given(tables())
def test_a_column_is_the_values_of_its_rows(table: pa.Table):
    if len(set(table.schema.names)) < len(table.schema.names):
        return
    rows = table.to_pylist()
    for task in TASKS:
        for paths in candidates(table, task).values():
            for path in paths:
                values = column_at(table, path).to_pylist()
                assert [as_text(v) for v in values] == [as_text(value_at(r, path)) for r in rows]


@given(st.lists(st.integers(0, 19), max_size=30), st.integers(1, 20))
def test_rows_are_taken_in_any_order_from_any_chunks(indices: list[int], size: int):
    import numpy as np

    table = pa.table({"n": list(range(20)), "t": [{"x": [n]} for n in range(20)]})
    pieces = pa.concat_tables([table.slice(n, size) for n in range(0, 20, size)])
    taken = take_rows(pieces, np.array(indices, dtype=np.int64))
    assert taken["n"].to_pylist() == indices
    assert taken["t"].to_pylist() == [{"x": [n]} for n in indices]


def test_addresses_of_people_are_no_text():
    table = pa.table(
        {
            "Email Address": [f"p{n}@example.org" for n in range(20)],
            "Would you come again?": ["Yes", "No"] * 10,
            "What could be better? In your own words:": SAID,
        }
    )
    chosen = choose(table, FinetuneData(task="classification"))
    assert chosen.text == "What could be better? In your own words:"
    with pytest.raises(StudioError):
        choose(table.drop_columns(["Would you come again?"]), FinetuneData(task="seq2seq"))


SPAN = {"start": 0, "end": 3, "label": "PER"}


@pytest.mark.parametrize(
    ("spans", "code"),
    [
        ([SPAN], "column.spans"),  # Prodigy
        ([SPAN | {"text": "Ada", "labels": ["PER"]}], "column.spans"),  # Label Studio
        ([["0", "3", "PER"]], "column.spans"),  # doccano
        ([{"start_offset": 0, "end_offset": 3, "label": "PER"}], "column.spans"),
        ("PER", "column.no_words"),
    ],
)
def test_spans_by_letters_are_told_from_tags_of_words(spans: Any, code: str):
    words = [{"text": "Ada", "start": 0, "end": 3}, {"text": "slept.", "start": 4, "end": 10}]
    row = {"text": "Ada slept.", "tokens": words, "spans": spans}
    found = problem(pa.Table.from_pylist([row] * 30), task="token_classification")
    assert (found.code, found.field) == (code, "text_field")
    assert ".conll" in found.message


def test_words_without_tags_are_refused_with_an_example():
    table = pa.table({"words": [["Ada", "slept", str(n)] for n in range(200)]})
    found = problem(table, task="token_classification")
    assert found.field == "label_field"
    assert ".conll" in found.message


@pytest.mark.parametrize(
    ("key", "content"),
    [
        ("content", [{"type": "text", "text": "It is"}, {"type": "text", "text": " 2."}]),
        ("content", [{"type": "text", "text": "It is 2.", "image_url": None}]),
        ("parts", [{"text": "It is 2."}]),
        ("parts", ["It is", " 2."]),
    ],
)
def test_a_content_in_parts_is_the_text_of_its_parts(key: str, content: Any):
    value = [{"role": "user", key: [{"text": "1+1?"}]}, {"role": "model", key: content}]
    assert turns(value) == [
        {"role": "user", "content": "1+1?"},
        {"role": "assistant", "content": "It is 2."},
    ]


@pytest.mark.parametrize(
    "content",
    [
        [{"type": "image_url", "image_url": {"url": "x"}}],
        [{"type": "text", "text": "What is it?"}, {"type": "image", "text": None}],
        {"content_type": "text"},
    ],
)
def test_a_conversation_about_an_image_is_none_of_text(content: Any):
    said = {"role": "assistant", "content": "A cat."}
    assert turns([{"role": "user", "content": content}, said]) is None


def test_questions_and_answers_in_arabic():
    asked = pa.table(
        {
            "\u0627\u0644\u0633\u0624\u0627\u0644": SAID,
            "\u0627\u0644\u062c\u0648\u0627\u0628": SAID,
        }
    )
    chosen = choose(asked, FinetuneData())
    assert (chosen.prompt, chosen.target) == tuple(asked.column_names)

"""The rows that are drawn: by the seed alone, by class, without the unusable ones."""

import json
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.train import strata
from easymodel_nb.train.drawing import Drawn, draw
from easymodel_nb.train.roles import Roles
from easymodel_nb.workflow.document import DatasetData, FinetuneData

TEXT = Roles(text="text")
LABELLED = Roles(text="text", label="label")


def numbered(rows: int, *, start: int = 0) -> pa.Table:
    return pa.table(
        {"text": [f"text {n + start}" for n in range(rows)], "other": list(range(rows))}
    )


def classes(*labels: Any, names: list[str] | None = None) -> pa.Table:
    table = pa.table({"text": [f"text {n}" for n in range(len(labels))], "label": list(labels)})
    if names is None:
        return table
    feature = {"names": names, "_type": "ClassLabel"}
    meta = json.dumps({"info": {"features": {"label": feature}}})
    return table.replace_schema_metadata({"huggingface": meta})


def drawn(
    train: pa.Table, evaluation: pa.Table | None = None, roles: Roles = TEXT, **fields: Any
) -> Drawn:
    fraction = fields.pop("eval_fraction", 0.1)
    if roles.label and "task" not in fields:
        fields["task"] = "classification"
    dataset = DatasetData(source="x", eval_fraction=fraction)
    return draw(train, evaluation, roles, FinetuneData(**fields), dataset, dataset_node="d1")


def problem(*args: Any, **fields: Any) -> Problem:
    with pytest.raises(StudioError) as caught:
        drawn(*args, **fields)
    return caught.value.problems[0]


def codes(found: Drawn) -> list[str]:
    return [p.code for p in found.problems]


def texts(table: pa.Table) -> list[str]:
    return table["text"].to_pylist()


# ------------------------------------------------------------ sizes and the seed


def test_the_subset_is_drawn_first_and_a_share_of_it_is_held_out():
    found = drawn(numbered(5000))
    assert (found.train.num_rows, found.evaluation.num_rows) == (900, 100)
    assert found.held_out
    assert not set(texts(found.train)) & set(texts(found.evaluation))
    assert found.problems == []


def test_unstratified_rows_are_the_first_of_one_permutation():
    order = np.random.default_rng(7).permutation(50)
    found = drawn(numbered(50), seed=7, subset_size=20, eval_fraction=0.2)
    assert texts(found.evaluation) == [f"text {n}" for n in order[:4]]
    assert texts(found.train) == [f"text {n}" for n in order[4:20]]


def test_rows_of_an_evaluation_split_are_drawn_after_the_subset():
    generator = np.random.default_rng(42)
    order, held = generator.permutation(30), generator.permutation(9)
    found = drawn(numbered(30), numbered(9, start=100), subset_size=10, eval_size=5)
    assert texts(found.train) == [f"text {n}" for n in order[:10]]
    assert texts(found.evaluation) == [f"text {n + 100}" for n in held[:5]]
    assert not found.held_out


def test_another_seed_draws_other_rows_and_the_same_seed_the_same():
    table = classes(*["a", "b", "b", "c"] * 50)
    one, again, other = (drawn(table, roles=LABELLED, seed=s, subset_size=40) for s in (1, 1, 2))
    assert texts(one.train) == texts(again.train)
    assert texts(one.train) != texts(other.train)


def test_chunks_and_slices_do_not_matter():
    table = classes(*["a", "b", "c"] * 40)
    pieces = pa.concat_tables([table.slice(0, 7), table.slice(7, 50), table.slice(57)])
    whole, parts = (drawn(t, roles=LABELLED, subset_size=30) for t in (table, pieces))
    assert texts(whole.train) == texts(parts.train)
    assert texts(whole.evaluation) == texts(parts.evaluation)


def test_only_the_columns_of_the_roles_are_carried():
    assert drawn(numbered(20)).train.column_names == ["text"]
    grouped = drawn(numbered(20), group_field="other")
    assert grouped.train.column_names == ["text", "other"]


def test_one_row_is_too_few_and_none_too():
    found = problem(numbered(1))
    assert (found.code, found.node, found.field) == ("dataset.too_small", "d1", "source")
    assert drawn(numbered(2)).train.num_rows == 1
    empty = problem(pa.table({"text": ["", None, "  "]}))
    assert (empty.code, empty.field) == ("rows.empty", "text_field")
    assert empty.message == (
        "There is no row to train: 'text' is empty in every one. Choose another column."
    )


# ------------------------------------------------------------ by class


def test_shares_are_kept_on_both_sides():
    table = classes(*(["a"] * 700 + ["b"] * 200 + ["c"] * 100))
    found = drawn(table, roles=LABELLED, subset_size=500, eval_fraction=0.2)
    assert Counter(found.train["label"].to_pylist()) == {"a": 280, "b": 80, "c": 40}
    assert Counter(found.evaluation["label"].to_pylist()) == {"a": 70, "b": 20, "c": 10}


def test_a_rare_class_stands_on_both_sides():
    table = classes(*(["a"] * 990 + ["rare"] * 2 + ["once"]))
    found = drawn(table, roles=LABELLED, subset_size=100)
    train, measured = (Counter(t["label"].to_pylist()) for t in (found.train, found.evaluation))
    assert (train["rare"], measured["rare"]) == (1, 1)
    assert train["once"] + measured["once"] == 1
    assert train["once"] == 1
    assert (sum(train.values()), sum(measured.values())) == (90, 10)


def test_more_classes_than_measured_rows():
    table = classes(*[f"c{n % 77}" for n in range(4000)])
    found = drawn(table, roles=LABELLED, subset_size=200)
    assert (found.train.num_rows, found.evaluation.num_rows) == (180, 20)
    assert len(set(found.train["label"].to_pylist())) == 77


def test_labels_that_differ_in_outer_spaces_are_one_class():
    table = classes(*["a", " a", "a ", "b"] * 25)
    found = drawn(table, roles=LABELLED, subset_size=40, eval_fraction=0.5)
    measured = Counter(label.strip() for label in found.evaluation["label"].to_pylist())
    assert measured == {"a": 15, "b": 5}


@pytest.mark.parametrize(
    "labels", [[True, False], [1.0, 2.0], [[1], [1, 2], []], ["x", "y"]], ids=str
)
def test_any_kind_of_label(labels: list[Any]):
    found = drawn(classes(*labels * 20), roles=LABELLED)
    assert found.train.num_rows + found.evaluation.num_rows == len(labels) * 20


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(lambda c: sum(c) > 0),
    st.data(),
)
def test_quotas_fill_the_total_within_their_bounds(counts: list[int], data: st.DataObject):
    had = np.array(counts, dtype=np.int64)
    total = data.draw(st.integers(1, int(had.sum())))
    least = np.minimum(had, 2)
    given_ = strata.quotas(had, total, least, had)
    assert given_.sum() == total
    assert (given_ >= 0).all()
    assert (given_ <= had).all()
    if least.sum() <= total:
        assert (given_ >= least).all()
    exact = had * total / had.sum()
    assert (np.abs(given_ - exact) <= 1 + 2 * len(had)).all()


@given(
    st.lists(st.sampled_from("abcde"), min_size=2, max_size=60),
    st.integers(2, 60),
    st.floats(0.05, 0.9),
    st.integers(0, 5),
)
def test_every_row_lands_on_one_side(labels: list[str], size: int, fraction: float, seed: int):
    table = classes(*labels)
    found = drawn(table, roles=LABELLED, subset_size=size, eval_fraction=fraction, seed=seed)
    both = texts(found.train) + texts(found.evaluation)
    assert len(set(both)) == len(both) == min(size, len(labels))
    assert found.train.num_rows
    assert found.evaluation.num_rows


# ------------------------------------------------------------ rows that are left out


def test_empty_and_hidden_rows_leave_before_the_draw():
    labels = [0, 1, -1, None] * 10
    table = classes(*labels, names=["no", "yes"])
    found = drawn(table, roles=LABELLED, subset_size=None)
    assert found.dropped == {"'label' is empty": 10, "'label' is -1, which means hidden": 10}
    assert found.dropped_rows == 20
    assert found.train.num_rows + found.evaluation.num_rows == 20
    assert set(found.train["label"].to_pylist()) == {0, 1}
    (told,) = found.problems
    assert (told.code, told.severity, told.node, told.field) == (
        "rows.dropped",
        "note",
        "d1",
        "source",
    )
    assert told.message == (
        "20 rows of 40 left out: in 10 'label' is empty, in 10 'label' is -1, which means hidden."
    )


def test_rows_that_an_annotator_rejected_are_not_learned():
    table = classes(*"ab" * 20).append_column(
        "answer", [["accept", "accept", "reject", "ignore"] * 10]
    )
    reviewed = table.append_column("_input_hash", [list(range(40))])
    found = drawn(reviewed, roles=LABELLED)
    assert found.dropped == {"'answer' is not 'accept'": 20}
    kept = {f"text {n}" for n in range(40) if n % 4 < 2}
    assert {*texts(found.train), *texts(found.evaluation)} == kept
    # A column of that name alone says nothing.
    assert drawn(table, roles=LABELLED).dropped == {}


def test_a_minus_one_that_is_a_class_is_drawn():
    found = drawn(classes(*[-1, 0, 1] * 20), roles=LABELLED)
    assert set(found.train["label"].to_pylist()) == {-1, 0, 1}
    assert found.dropped == {}


def test_hidden_rows_of_an_evaluation_split_are_left_out():
    train, evaluation = classes(*[0, 1] * 10), classes(*[0, -1] * 5)
    found = drawn(train, evaluation, LABELLED)
    assert set(found.evaluation["label"].to_pylist()) == {0}
    assert found.dropped == {"'label' is -1, which means hidden": 5}


def test_nothing_to_measure():
    found = problem(classes("a", "b"), classes(None, None), LABELLED)
    assert (found.code, found.field) == ("rows.empty", "label_field")


def test_every_role_needs_a_value():
    table = pa.table(
        {
            "q": ["a", "", "c", "d"] * 5,
            "a": [{"text": ["x"]}, {"text": ["x"]}, {"text": []}, None] * 5,
        }
    )
    found = drawn(table, roles=Roles(prompt="q", target="a.text[0]"))
    assert found.dropped == {"'q' is empty": 5, "'a.text[0]' is empty": 10}
    template = drawn(table, roles=Roles(template="Q: {q}\n\n{a.text[0]?}"))
    assert template.dropped == {"'q' is empty": 5}
    talks = pa.table({"talk": [[{"role": "user", "content": "x"}], [], None, []]})
    assert problem(talks, roles=Roles(messages="talk")).code == "dataset.too_small"


def test_tags_that_do_not_fit_their_words():
    table = pa.table({"tokens": [["a", "b"], ["c"]] * 5, "tags": [["O", "O"], ["O", "O"]] * 5})
    found = drawn(table, roles=Roles(text="tokens", label="tags"), task="token_classification")
    assert found.dropped == {"'tokens' and 'tags' differ in length": 5}


# ------------------------------------------------------------ duplicates, overlap


def test_duplicates_stay_on_one_side():
    table = pa.table({"text": [f"text {n % 40}" for n in range(200)]})
    found = drawn(table, eval_fraction=0.25)
    assert not set(texts(found.train)) & set(texts(found.evaluation))
    assert found.overlap == 0
    assert found.duplicates == found.train.num_rows - len(set(texts(found.train)))
    assert 45 <= found.evaluation.num_rows <= 50
    assert codes(found) == ["rows.duplicates"]


def test_where_all_rows_are_one_they_stand_on_both_sides_and_it_is_told():
    found = drawn(pa.table({"text": ["same"] * 20}))
    assert (found.train.num_rows, found.evaluation.num_rows) == (18, 2)
    assert (found.duplicates, found.overlap) == (17, 2)
    assert [(p.code, p.severity) for p in found.problems] == [
        ("rows.duplicates", "ask"),
        ("rows.overlap", "ask"),
    ]


def test_overlap_with_an_evaluation_split():
    found = drawn(numbered(100), numbered(40, start=90))
    assert found.overlap == 10
    (told,) = found.problems
    assert told.message.startswith("10 of the 40 measured rows are trained on as well")
    assert drawn(numbered(100), numbered(40, start=100)).overlap == 0


def test_contradicting_labels():
    train = pa.table({"text": ["a", "a", "b", "c"], "label": [0, 1, 0, 1]})
    evaluation = pa.table({"text": ["b", "c", "d"], "label": [1, 1, 0]})
    found = drawn(train, evaluation, LABELLED)
    assert (found.overlap, found.contradictions, found.mixed) == (1, 1, 1)
    assert codes(found) == ["rows.overlap", "labels.contradicting", "labels.mixed"]


def test_equal_rows_are_found_in_nested_columns_and_numbers():
    talk = [[{"role": "user", "content": f"hi {n % 3}"}] for n in range(30)]
    assert drawn(pa.table({"talk": talk}), roles=Roles(messages="talk")).duplicates > 10
    assert drawn(pa.table({"text": [1.5, 2.5] * 10})).duplicates > 10
    categories = pa.array(["x", "y"] * 10).dictionary_encode()
    assert drawn(pa.table({"text": categories})).duplicates > 10


def test_neighbouring_columns_do_not_run_together():
    table = pa.table({"q": ["ab", "a"] * 10, "a": ["c", "bc"] * 10})
    train, roles = table.slice(0, 2), Roles(prompt="q", target="a")
    assert drawn(pa.concat_tables([train] * 1), roles=roles).overlap == 0


def test_a_tick_may_stop_the_draw():
    def tick() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        draw(numbered(5), None, TEXT, FinetuneData(), DatasetData(source="x"), tick=tick)

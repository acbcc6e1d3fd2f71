"""Tag schemes: recognised, mended, and read as seqeval reads them."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from easymodel_nb.train.tasks import tags as reading
from easymodel_nb.train.tasks.tags import PLAIN, Scheme, Span

IOB2, BIOES, BILOU, BMES = (Scheme(name) for name in ("IOB2", "BIOES", "BILOU", "BMES"))
SCHEMES = (IOB2, BIOES, BILOU, BMES, Scheme("IOB2", "_"), Scheme("IOB2", bare=True))
KINDS = ("PER", "LOC", "creative-work")


def tags_of(scheme: Scheme) -> list[str]:
    letters = {"IOB2": "BI", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}[scheme.name]
    if scheme.bare:
        return ["O", *letters]
    return ["O", *(f"{letter}{scheme.joint}{kind}" for letter in letters for kind in KINDS)]


@st.composite
def spans(draw: st.DrawFn) -> tuple[int, list[Span]]:
    """Entities that do not overlap, and the number of words."""
    found, place = [], 0
    for _ in range(draw(st.integers(0, 5))):
        first = place + draw(st.integers(0, 2))
        last = first + draw(st.integers(0, 3))
        found.append((draw(st.sampled_from(KINDS)), first, last))
        place = last + 1
    return place + draw(st.integers(0, 2)), found


def written(scheme: Scheme, length: int, found: list[Span]) -> list[str]:
    tags = ["O"] * length
    for span in found:
        tags[span[1] : span[2] + 1] = scheme.spell(span)
    return tags


def typed(scheme: Scheme, found: list[Span]) -> list[Span]:
    return [("" if scheme.bare else kind, first, last) for kind, first, last in found]


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@given(spans())
def test_entities_survive_their_spelling(scheme: Scheme, drawn: tuple[int, list[Span]]):
    length, found = drawn
    tags = written(scheme, length, found)
    assert reading.entities(tags, scheme) == typed(scheme, found)
    assert reading.chunks(tags, scheme) == typed(scheme, found)
    assert reading.repaired(tags, scheme) == tags


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
@given(data=st.data())
def test_a_repair_keeps_what_was_meant_and_needs_no_other(scheme: Scheme, data: st.DataObject):
    tags = data.draw(st.lists(st.sampled_from(tags_of(scheme)), max_size=12))
    good = reading.repaired(tags, scheme)
    assert len(good) == len(tags)
    assert reading.entities(good, scheme) == reading.chunks(tags, scheme)
    assert reading.repaired(good, scheme) == good
    assert [t == "O" for t in good] == [t == "O" for t in tags]


@pytest.mark.parametrize(
    ("scheme", "name"), [(IOB2, "IOB2"), (BIOES, "IOBES"), (BILOU, "BILOU")], ids=str
)
@given(data=st.data())
def test_entities_are_those_of_seqeval_in_strict_mode(
    scheme: Scheme, name: str, data: st.DataObject
):
    """Any sequence that a model may answer, not only well-formed ones."""
    pytest.importorskip("seqeval")
    from seqeval import scheme as theirs

    tags = data.draw(st.lists(st.sampled_from(tags_of(scheme)), min_size=1, max_size=12))
    found = theirs.Entities([tags], scheme=getattr(theirs, name)).entities[0]
    expected = [(entity.tag, entity.start, entity.end - 1) for entity in found]
    assert reading.entities(tags, scheme) == expected


@given(data=st.data())
def test_chunks_are_those_of_seqeval_in_its_default_mode(data: st.DataObject):
    pytest.importorskip("seqeval")
    from seqeval.metrics.sequence_labeling import get_entities

    tags = data.draw(st.lists(st.sampled_from(tags_of(BIOES)), max_size=12))
    assert reading.chunks(tags, BIOES) == get_entities(tags)


# ------------------------------------------------------------ recognising


@pytest.mark.parametrize(
    ("rows", "name"),
    [
        ([["O", "B-PER", "I-PER"], ["B-LOC", "O"]], "IOB2"),
        ([["O", "I-PER", "I-PER"], ["I-LOC", "O", "I-LOC", "B-LOC"]], "IOB1"),
        ([["I-PER", "I-PER", "O"]], "IOB1"),
        ([["B-PER", "E-PER", "O"], ["S-LOC"]], "BIOES"),
        ([["B-PER", "L-PER", "O"], ["U-LOC"]], "BILOU"),
        ([["B-NAME", "M-NAME", "E-NAME"], ["S-NAME", "O"]], "BMES"),
        ([["B", "I", "O"]], "IOB2"),
        ([["B", "M", "E", "S"]], "BMES"),
        ([["NOUN", "VERB", "O"]], "plain"),
        ([["0", "1", "2"]], "plain"),
        ([["O", "PER", "LOC"]], "plain"),
        ([["O", "O"]], "plain"),
        ([["B-PER", "NOUN"]], "plain"),
        ([["B_PER", "I_PER", "O"]], "IOB2"),
        # One broken beginning among many sound ones is no IOB1.
        ([["B-PER", "O", "B-LOC"], ["O", "I-LOC"]], "IOB2"),
        # Nor does one tag without a letter make all others plain.
        ([["B-PER", "I-PER"]] * 20 + [["PERSON", "O"]], "IOB2"),
    ],
)
def test_the_scheme_is_recognised(rows: list[list[str]], name: str):
    assert reading.recognise(rows).name == name


@pytest.mark.parametrize("scheme", [BIOES, BILOU, IOB2], ids=str)
@given(st.lists(spans(), min_size=3, max_size=8))
def test_every_well_formed_text_is_recognised(scheme: Scheme, drawn: list[tuple[int, list[Span]]]):
    rows = [written(scheme, *item) for item in drawn]
    letters = {tag[0] for row in rows for tag in row}
    assume(letters & set("ESLU") or (scheme is IOB2 and "B" in letters))
    assert reading.recognise(rows) == scheme


def test_declared_tags_tell_a_scheme_that_few_rows_do_not():
    assert reading.recognise([["B-PER", "I-PER", "O"]], ["O", "S-PER", "E-PER"]).name == "BIOES"


def test_iob1_is_learned_as_iob2():
    tags = ["I-PER", "I-PER", "B-PER", "O", "I-LOC", "I-PER"]
    scheme = reading.recognise([tags])
    assert scheme.name == "IOB1"
    assert reading.repaired(tags, IOB2) == ["B-PER", "I-PER", "B-PER", "O", "B-LOC", "B-PER"]


def test_a_foreign_tag_is_outside():
    assert reading.chunks(["B-PER", "PER", "I-PER"], IOB2) == [("PER", 0, 0), ("PER", 2, 2)]
    assert reading.repaired(["NOUN", "B-", "B"], IOB2) == ["O", "O", "O"]


def test_the_order_of_the_tags():
    given_tags = {"I-b", "B-b", "O", "B-a"}
    assert reading.in_order(given_tags, IOB2) == ["O", "B-a", "B-b", "I-b"]
    assert reading.in_order({"10", "9", "NOUN"}, PLAIN) == ["9", "10", "NOUN"]


def test_readable():
    words = ["play", "Karma", "Police", "by", "Radiohead"]
    found = [("track", 1, 2), ("artist", 4, 4)]
    assert reading.rendered(words, found) == "track: Karma Police · artist: Radiohead"
    assert reading.rendered(words, []) == "no entities"
    assert reading.rendered_words(["Ada", "slept"], ["NOUN", "VERB"]) == "Ada/NOUN slept/VERB"

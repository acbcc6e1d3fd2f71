"""The short form of the fuzzing: the corpus replayed, and changes of it that Hypothesis makes.

The long form is `make fuzz`, which is guided by coverage.
"""

import sys
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import targets

CORPUS = Path(__file__).with_name("corpus")
SEEDS = {
    name: [p.read_bytes() for p in sorted((CORPUS / name).glob("*"))] for name in targets.TARGETS
}


@pytest.mark.parametrize(
    "path", sorted(CORPUS.glob("*/*")), ids=lambda p: f"{p.parent.name}/{p.name}"
)
def test_what_broke_once_or_was_thought_of(path: Path):
    targets.TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", targets.TARGETS)
@settings(max_examples=25)
@given(st.data())
def test_near_them(name: str, data: st.DataObject):
    seed = data.draw(st.sampled_from(SEEDS[name]))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(seed)))
        end = data.draw(st.integers(at, min(len(seed), at + 40)))
        put = data.draw(
            st.one_of(
                st.binary(max_size=6),
                st.sampled_from(
                    [b"null", b"-1", b"1e999", b"NaN", b'"\\ud800"', b"[]", b"{}", b"../"]
                ),
                st.sampled_from(SEEDS[name]).map(itemgetter(slice(at, end))),
            )
        )
        seed = seed[:at] + put + seed[end:]
    targets.TARGETS[name](seed)

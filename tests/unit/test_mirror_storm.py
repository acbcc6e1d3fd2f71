"""Two machines, edits, syncs and faults in any order: every acknowledged change is found."""

from hypothesis import given
from hypothesis import strategies as st
from storm import STEPS, Storm


@given(
    seed=st.integers(0, 2**32),
    steps=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(STEPS)), min_size=10, max_size=50),
)
def test_every_acknowledged_change_is_a_project_or_beside_it(
    seed: int, steps: list[tuple[int, str]]
):
    with Storm(seed) as storm:
        for who, what in steps:
            storm.step(who, what)
        storm.settle()
        storm.check()

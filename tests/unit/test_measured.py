"""A measured number: a value or the reason why there is none, never both, never neither."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from easymodel_nb.measured import Measured

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.none() | NUMBERS, st.none() | st.text(min_size=1))
def test_a_value_exactly_when_there_is_no_reason(value: float | None, reason: str | None):
    if (value is None) == (reason is None):
        with pytest.raises(ValidationError):
            Measured(value=value, reason=reason)
    else:
        assert Measured(value=value, reason=reason).value == value


def test_there_is_no_default_number():
    with pytest.raises(ValidationError):
        Measured()


def test_zero_is_a_value():
    assert Measured(value=0.0).value == 0


@given(
    st.one_of(
        st.builds(Measured, value=NUMBERS, low=NUMBERS, high=NUMBERS, n=st.integers(0)),
        st.builds(Measured.missing, st.text(min_size=1), n=st.none() | st.integers(0)),
    )
)
def test_it_survives_json(measured: Measured):
    again = Measured.model_validate(json.loads(json.dumps(measured.model_dump(mode="json"))))
    assert again == measured


def test_the_names_in_json_are_the_contract():
    assert set(Measured(value=1).model_dump()) == {
        "value", "low", "high", "n", "reason", "judge", "unit",
    }  # fmt: skip


def test_it_is_frozen():
    with pytest.raises(ValidationError):
        Measured(value=1).value = 2  # type: ignore[misc]

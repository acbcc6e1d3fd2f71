"""Tests of a notebook in a browser get a second try; the report counts them as rerun."""

from collections.abc import Iterable

import pytest

_PLACES = {"browser", "colab"}


def tried_again(items: Iterable[pytest.Item]) -> None:
    """Let those tests be tried once more where they fail."""
    for item in items:
        if _PLACES & set(item.path.parts):
            item.add_marker(pytest.mark.flaky(reruns=1))

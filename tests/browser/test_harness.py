"""The harness itself: a cell runs, its code is seen, a restart forgets."""

from collections.abc import Callable

import pytest
from harness.lab import LabPage


def test_a_cell_runs_and_a_restart_forgets(notebook: Callable[..., LabPage]):
    page = notebook("answer = 42\nprint('the answer is', answer)", "'second'")
    page.run_cell(0)
    assert "the answer is 42" in page.output_text(0)
    assert page.cells()[1] == ("code", "'second'")
    page.execute("assert answer == 42")
    page.server.restart_kernel(page.name)
    page.reload()
    with pytest.raises(AssertionError, match="NameError"):
        page.execute("answer")

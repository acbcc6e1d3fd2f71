"""Code is written beside the handlers of commands, told once, and refused in words."""

import threading

import pytest

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.store.first import first_workflow
from easymodel_nb.widgets.exports import Exports
from easymodel_nb.workflow.document import Workflow


def answered(exports: Exports, told: threading.Event) -> object:
    """The answer once the writer has ended; the answer follows the writer by a moment."""
    assert told.wait(30)
    found = exports.ask(first_workflow(), "f1", "script")
    while found.writing:
        found = exports.ask(first_workflow(), "f1", "script")
    return found


def test_the_question_is_answered_at_once_and_again_when_it_is_written():
    may, told = threading.Event(), threading.Event()
    calls = []

    def write(workflow: Workflow, node: str, to: str) -> tuple[str, str]:
        assert may.wait(30)
        calls.append((workflow.name, node, to))
        told.set()
        return "train.py", "print()"

    exports = Exports(write)
    assert exports.ask(first_workflow(), "f1", "script").writing
    assert exports.ask(first_workflow(), "f1", "script").writing
    may.set()
    found = answered(exports, told)
    assert (found.name, found.text) == ("train.py", "print()")
    assert len(calls) == 1
    exports.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (problem_error("export.qlora", "No.", node="f1"), "export.qlora"),
        (OSError("x"), "export.failed"),
    ],
)
def test_what_cannot_be_written_is_refused_in_words(error: Exception, code: str):
    told = threading.Event()

    def write(_workflow: Workflow, _node: str, _to: str) -> tuple[str, str]:
        told.set()
        raise error

    exports = Exports(write)
    assert exports.ask(first_workflow(), "f1", "script").writing
    with pytest.raises(StudioError) as caught:
        answered(exports, told)
    assert caught.value.problems[0].code == code
    exports.close()

"""The gate of `train()` and the command line: every node is audited before a run is created."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.secrets import redact
from easymodel_nb.train.auditing.asking import audit_requests, for_variant
from easymodel_nb.train.auditing.audited import Audit
from easymodel_nb.train.auditing.verdict import blocking, open_questions
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.heavy import import_trainer
from easymodel_nb.train.plan import request_of
from easymodel_nb.workflow import sweeps
from easymodel_nb.workflow.check import check, training_order
from easymodel_nb.workflow.document import Workflow

_log = logging.getLogger(__name__)
Token = Callable[[], str | None]
_under_way: list[Control] = []


def look(
    document: Workflow | dict[str, Any], node: str | None, home: Path, token: Token
) -> list[Problem]:
    """Check and audit what is to be trained; returns what is asked and was not accepted.

    What cannot be audited here, such as a model of another run, goes on: the run will say what
    is wrong with it. What was tokenised is in the cache when the run starts.

    Raises
    ------
    StudioError
        With everything that keeps a node from being trained.

    """
    red: list[Problem] = []
    asked: list[Problem] = []
    for name, request, questions in _requests(document, node):
        asked += questions
        found = _audited(request, home, token)
        red += [
            _named(problem, name, document)
            for problem in blocking(found)
            if not _is_remote(problem)
        ]
        asked += [_named(problem, name, document) for problem in open_questions(found)]
    if red:
        raise StudioError(red)
    return asked


def _named(problem: Problem, variant: str, document: Workflow | dict[str, Any]) -> Problem:
    """The problem, with the run of a sweep that it is about."""
    if not variant or not isinstance(document, Workflow):
        return problem
    node = document.node(problem.node or "")
    return for_variant(problem, variant, sweeps.listed(node) if node else ())


def _is_remote(problem: Problem) -> bool:
    """Whether the network said so, which may be otherwise when the run asks again."""
    return problem.code.startswith(("hub.", "source.url"))


def _requests(
    document: Workflow | dict[str, Any], node: str | None
) -> Iterator[tuple[str, dict[str, Any], list[Problem]]]:
    """What is audited, each with what the document alone asks about and nobody has accepted.

    Of a sweep several, with the names of the runs.
    """
    if not isinstance(document, Workflow):
        yield "", request_of(document), []
        return
    found = check(document, node)
    errors = [problem for problem in found if problem.severity == "error"]
    if errors:
        raise StudioError(errors)
    for name in [node] if node is not None else training_order(document):
        requests = audit_requests(document, name)
        accepted = requests[0][1]["node"]["data"].get("accept", [])
        questions = [
            problem
            for problem in found
            if problem.node == name and problem.severity == "ask" and problem.code not in accepted
        ]
        for place, (variant, request) in enumerate(requests):
            yield variant, request, questions if place == 0 else []


def _audited(request: dict[str, Any], home: Path, token: Token) -> Audit:
    import_trainer()
    from easymodel_nb.train.auditing.audit import audit  # noqa: PLC0415  it imports PyTorch

    control = Control(home / "cache" / "audits")
    _under_way.append(control)
    try:
        return audit(request, home, token, control)
    except Stopped:  # so will be the run
        return Audit(state="unknown")
    except Exception as error:  # noqa: BLE001  the run will say what is wrong
        _log.warning("a node could not be audited: %s", redact(str(error)))
        return Audit(state="unknown")
    finally:
        _under_way.remove(control)


def stop() -> None:
    """End the audits under way; what they were for is queued, and can be stopped there."""
    for control in _under_way:
        control.stop("signal")

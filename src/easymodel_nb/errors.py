"""What went wrong, as a sentence a user can act on, on the node where it belongs."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel

from easymodel_nb.redaction import hide

Severity = Literal["error", "ask", "note"]


class FieldChange(BaseModel):
    """One field of one node set to a value."""

    node: str
    field: str
    value: Any


class Fix(BaseModel):
    """One click that removes a problem: field changes, or a command with its parameters."""

    label: str
    set: list[FieldChange] | None = None
    command: str | None = None
    params: dict[str, Any] | None = None


class Problem(BaseModel):
    """One problem: `code` is stable and for machines, `message` names the remedy in words."""

    code: str
    severity: Severity = "error"
    message: Annotated[str, AfterValidator(hide)]  # a sentence may quote what was typed
    node: str | None = None
    field: str | None = None
    fix: Fix | None = None


class StudioError(Exception):
    """A request that was refused, with every problem found."""

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        self.problems = [problems] if isinstance(problems, Problem) else list(problems)
        super().__init__("\n".join(problem.message for problem in self.problems))

    def at(self, node: str | None) -> "StudioError":
        """The same error with its unplaced problems, and their fixes, put on `node`."""
        return StudioError(p if p.node else _placed(p, node) for p in self.problems)


def _placed(problem: Problem, node: str | None) -> Problem:
    fix = problem.fix
    if fix is not None and fix.set:
        changes = [c if c.node else c.model_copy(update={"node": node or ""}) for c in fix.set]
        fix = fix.model_copy(update={"set": changes})
    return problem.model_copy(update={"node": node, "fix": fix})


def problem_error(code: str, message: str, **details: Any) -> StudioError:
    """A StudioError of one problem."""
    return StudioError(Problem(code=code, message=message, **details))

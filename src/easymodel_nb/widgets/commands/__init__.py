"""What each command of the view does. Every handler returns within milliseconds."""

from collections.abc import Callable

from pydantic import BaseModel

from easymodel_nb.errors import Problem, StudioError
from easymodel_nb.widgets.commands.document import DocumentCommands
from easymodel_nb.widgets.commands.files import FileCommands
from easymodel_nb.widgets.commands.group import Group, Screen
from easymodel_nb.widgets.commands.mirror import MirrorCommands
from easymodel_nb.widgets.commands.models import ModelCommands
from easymodel_nb.widgets.commands.projects import ProjectCommands
from easymodel_nb.widgets.commands.sources import SourceCommands
from easymodel_nb.widgets.commands.training import TrainingCommands
from easymodel_nb.widgets.rpc import Handler, RpcError
from easymodel_nb.widgets.session import Session

GROUPS: tuple[type[Group], ...] = (
    DocumentCommands,
    TrainingCommands,
    ModelCommands,
    FileCommands,
    ProjectCommands,
    SourceCommands,
    MirrorCommands,
)


class Commands:
    """The handlers; `handlers` is what `rpc` calls."""

    def __init__(self, session: Session, screen: Screen) -> None:
        self._screen, self._mirroring = screen, session.mirroring
        self.moved = False
        self.handlers: dict[str, Handler] = {
            name: self._handler(name, work, shown=shown)
            for group in GROUPS
            for name, work, shown in group(session, screen).commands()
        }

    def _handler(self, name: str, work: Callable[..., object], *, shown: bool) -> Handler:
        def handle(params: BaseModel) -> BaseModel | None:
            if self.moved:
                raise RpcError("moved", "This studio moved to a newer cell; go on there.")
            if self._mirroring is not None:
                self._mirroring.refuse_away(name, params)
            result = work(params)
            if self._mirroring is not None and name != "pull":
                self._mirroring.poke()
            if shown:
                self._screen.publish()
            return result if isinstance(result, BaseModel) else None

        return handle


def as_studio_error(error: RpcError) -> StudioError:
    """The error as Python code gets it."""
    return StudioError(Problem(code=error.code, message=str(error)))

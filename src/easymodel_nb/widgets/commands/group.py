"""A group of commands: methods that have the commands' names."""

from collections.abc import Callable, Iterator
from typing import ClassVar, Protocol

from easymodel_nb.widgets.pages import Shows
from easymodel_nb.widgets.session import Session
from easymodel_nb.widgets.state import Theme


class Screen(Protocol):
    """What the commands need of the view's side."""

    def publish(self) -> None:
        """Show what changed, now."""

    def pull(self, seen: dict[str, int], page: str, shows: Shows) -> None:
        """Show what changed and send what was missed; a page says what of it can be seen."""

    def theme(self, name: Theme) -> None:
        """Colour what Python colours."""


class Group:
    """Commands about one thing. `silent` ones change nothing that the view is shown."""

    silent: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()

    def __init__(self, session: Session, screen: Screen) -> None:
        self._session, self._store, self._screen = session, session.store, screen

    def commands(self) -> Iterator[tuple[str, Callable[..., object], bool]]:
        """Each command's name, what it does, and whether the view is shown the effect."""
        for name in self.silent:
            yield name, getattr(self, name), False
        for name in self.shown:
            yield name, getattr(self, name), True

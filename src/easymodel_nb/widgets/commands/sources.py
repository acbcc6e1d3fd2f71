"""Sources while they are typed: what may be meant, and another look at what failed."""

from pydantic import BaseModel

from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import SuggestParams, SuggestResult


class SourceCommands(Group):
    """Sources while they are typed."""

    silent = ("suggest",)
    shown = ("look_again",)

    def suggest(self, params: SuggestParams) -> SuggestResult:
        """What a typed text may mean."""
        return self._session.suggestions.ask(params)

    def look_again(self, _params: BaseModel) -> None:
        """Ask the Hub anew."""
        self._session.look_again()

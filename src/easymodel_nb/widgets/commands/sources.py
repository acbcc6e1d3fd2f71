"""Sources while they are typed: what may be meant, and another look at what failed."""

from pydantic import BaseModel

from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import ConsentParams, SuggestParams, SuggestResult


class SourceCommands(Group):
    """Sources while they are typed."""

    silent = ("suggest",)
    shown = ("look_again", "consent")

    def suggest(self, params: SuggestParams) -> SuggestResult:
        """What a typed text may mean."""
        return self._session.suggestions.ask(params)

    def consent(self, params: ConsentParams) -> None:
        """Remember what the user allowed, and look again."""
        from easymodel_nb.train import consents  # noqa: PLC0415  with it comes the Hub's

        consents.give(self._session.home, params.kind, params.repo, params.commit)
        self._session.look_again()

    def look_again(self, _params: BaseModel) -> None:
        """Ask the Hub anew."""
        self._session.look_again()

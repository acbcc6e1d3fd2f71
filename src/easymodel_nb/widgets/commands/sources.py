"""Sources while they are typed: what may be meant, and another look at what failed."""

from pydantic import BaseModel

from easymodel_nb.trust import consents, giving
from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    ConsentItem,
    ConsentParams,
    ConsentsResult,
    SuggestParams,
    SuggestResult,
    WithdrawParams,
)


class SourceCommands(Group):
    """Sources while they are typed."""

    silent = ("suggest", "consents")
    shown = ("look_again", "consent", "consent_withdraw")

    def suggest(self, params: SuggestParams) -> SuggestResult:
        """What a typed text may mean."""
        return self._session.suggestions.ask(params)

    def consent(self, params: ConsentParams) -> None:
        """Remember what the user allowed, and look again."""
        home = self._session.home
        giving.allow(home, params.kind, params.repo, params.commit, params.digest)
        self._session.look_again()

    def consents(self, _params: BaseModel) -> ConsentsResult:
        """What the user allowed on this machine, in whatever project."""
        return ConsentsResult(
            items=[
                ConsentItem(
                    kind=known.kind,
                    repo=known.repo,
                    commit=known.commit,
                    files=sorted(known.files),
                    given=known.given,
                )
                for known in consents.known(self._session.home)
            ]
        )

    def consent_withdraw(self, params: WithdrawParams) -> None:
        """Forget what the user allowed, and look again."""
        consents.withdraw(self._session.home, params.kind, params.repo, params.commit)
        self._session.look_again()

    def look_again(self, _params: BaseModel) -> None:
        """Ask the Hub anew."""
        self._session.look_again()

"""The working copy, the open project at a revision, settings."""

import json

from pydantic import BaseModel

from easymodel_nb.errors import problem_error
from easymodel_nb.store.projects import Conflict
from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    CommitParams,
    CommitResult,
    PullParams,
    SettingsParams,
    TokenParams,
)
from easymodel_nb.widgets.rpc import RpcError
from easymodel_nb.workflow.document import Workflow

_DOCUMENT_BYTES = 1_000_000


class DocumentCommands(Group):
    """The working copy, the open project at a revision, settings."""

    silent = ("pull", "variables")
    shown = ("commit", "settings", "token")

    def pull(self, params: PullParams) -> None:
        """Send what the view has not got."""
        self._screen.pull(params.seen, params.page, params.shows)

    def commit(self, params: CommitParams) -> CommitResult:
        """Save the working copy."""
        text = json.dumps(params.document, ensure_ascii=False, default=str)
        # Half an emoji, which JavaScript can make, is no text and could not be sent back.
        content = text.encode("utf-8", "replace")
        if len(content) > _DOCUMENT_BYTES:
            raise problem_error(
                "workflow.large",
                f"This workflow takes {len(content) / 1e6:.1f} MB and can take 1 MB. Shorten its "
                "notes.",
            )
        workflow = Workflow.read(json.loads(content))
        try:
            with self._store.transaction():  # nobody takes the project over in between
                self._session.holding.refuse(params.project_id)
                saved = self._store.save(params.project_id, workflow, params.base_rev)
        except Conflict as conflict:
            raise RpcError(
                "conflict",
                str(conflict),
                {"rev": conflict.revision, "document": conflict.document},
            ) from None
        return CommitResult(rev=saved.revision)

    def settings(self, params: SettingsParams) -> None:
        """Remember settings."""
        if params.theme is not None:
            self._store.settings.remember(theme=params.theme)
            self._screen.theme(params.theme)

    def token(self, params: TokenParams) -> None:
        """Hold a Hub token, or forget it."""
        self._session.type_token(params.token)

    def variables(self, _params: BaseModel) -> None:
        """Look again at variables and files."""
        self._session.look_at_variables()

"""Files of the user's on their way here."""

from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import (
    UploadBeginParams,
    UploadBeginResult,
    UploadChunkParams,
    UploadChunkResult,
    UploadEndParams,
    UploadEndResult,
    UploadParams,
)


class FileCommands(Group):
    """Files of the user's on their way here."""

    silent = ("upload_begin", "upload_chunk", "upload_end", "upload_cancel")

    def upload_begin(self, params: UploadBeginParams) -> UploadBeginResult:
        """Announce a file."""
        name, path = self._session.uploads.begin(params.name, params.size, params.sha256)
        return UploadBeginResult(id=name, path=str(path) if path else None)

    def upload_chunk(self, params: UploadChunkParams) -> UploadChunkResult:
        """Take a part of it."""
        received = self._session.uploads.chunk(params.id, params.offset, params.buffer)
        return UploadChunkResult(received=received)

    def upload_end(self, params: UploadEndParams) -> UploadEndResult:
        """Check it and put it in its place."""
        return UploadEndResult(path=str(self._session.uploads.end(params.id, params.sha256)))

    def upload_cancel(self, params: UploadParams) -> None:
        """Forget an upload."""
        self._session.uploads.cancel(params.id)

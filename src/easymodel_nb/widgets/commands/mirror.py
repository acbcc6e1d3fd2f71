"""The mirror: saved to now, and which checkpoints go along."""

from pydantic import BaseModel

from easymodel_nb.errors import problem_error
from easymodel_nb.widgets.commands.group import Group
from easymodel_nb.widgets.methods import MirrorCheckpointsParams
from easymodel_nb.widgets.mirroring import Mirroring


class MirrorCommands(Group):
    """The mirror: saved to now, and which checkpoints go along."""

    shown = ("mirror_save", "mirror_checkpoints")

    def mirror_save(self, _params: BaseModel) -> None:
        """Save now."""
        self._mirroring().save()

    def mirror_checkpoints(self, params: MirrorCheckpointsParams) -> None:
        """Remember whether a run's full checkpoints are copied."""
        self._session.manager.view(params.run)  # refuses a run that is not there
        self._mirroring().checkpoints(params.run, agreed=params.agreed)

    def _mirroring(self) -> Mirroring:
        if self._session.mirroring is None:
            raise problem_error(
                "mirror.none",
                "There is no folder to save to. Set EASYMODEL_MIRROR to one that is synced, such "
                "as one on Google Drive, and open the studio again.",
            )
        return self._session.mirroring

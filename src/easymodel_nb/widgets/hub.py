"""The Hub as a studio asks it; everything heavy is imported on the thread that asks."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from easymodel_nb.secrets import redact
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

if TYPE_CHECKING:
    from easymodel_nb.train.described import Described
    from easymodel_nb.train.hub.look import HubLook


class Hub:
    """One look at the Hub for all nodes of a studio."""

    def __init__(self, home: Path, token: Callable[[], str | None]) -> None:
        self._home, self._token = home, token
        self._lock = threading.Lock()
        self._made: HubLook | None = None

    def describe(
        self, data: ModelData | DatasetData, finetune: FinetuneData | None
    ) -> "Described | None":
        """Facts of a source on the Hub; None for what is no repository there."""
        from easymodel_nb.train import heavy  # noqa: PLC0415
        from easymodel_nb.train.hub.look import HubLook  # noqa: PLC0415
        from easymodel_nb.train.quiet import LogBuffer, quiet  # noqa: PLC0415

        heavy.import_hub()
        with self._lock:
            look = self._made = self._made or HubLook(self._token, self._home)
        if isinstance(data, ModelData):
            return look.describe(data, finetune)
        heavy.import_datasets()
        with quiet(LogBuffer(redact)):
            return look.describe(data, finetune)

    def forget(self) -> None:
        """Ask anew about what was refused, or not answered."""
        with self._lock:
            if self._made is not None:
                self._made.forget()

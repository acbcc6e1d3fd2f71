"""Files of the user's that are there and not here: projects name them, so they come back too."""

from pathlib import Path

from easymodel_nb.store.mirror import copying
from easymodel_nb.store.mirror.contents import is_plain
from easymodel_nb.store.mirror.copying import Stop
from easymodel_nb.store.mirror.folder import Synced
from easymodel_nb.store.mirror.manifest import Manifest, Stored


class UploadArrivals:
    """Brings files; where they lie is made of what they hold, so none is ever another one."""

    def __init__(self, home: Path, folder: Synced) -> None:
        self._root, self._folder = home / "uploads", folder
        self.wanted: dict[str, Stored] = {}
        self.late = 0

    def all(self, others: dict[str, list[Manifest]]) -> None:
        """Note what is missing here."""
        self.late = 0
        self.wanted = {
            name: stored
            for published in others.values()
            for manifest in reversed(published)
            for name, stored in manifest.uploads.items()
            if is_plain(name) and not (self._root / name).exists()
        }

    def fetch(self, name: str, stop: Stop) -> bool:
        """Bring one; False while it is not there whole."""
        stored = self.wanted[name]
        there = copying.fetch(self._folder, stored.at, stored.wanted, self._root / name, stop)
        del self.wanted[name]
        self.late += not there
        return there

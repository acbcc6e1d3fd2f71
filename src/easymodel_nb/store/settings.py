"""What is remembered across projects."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from easymodel_nb.store import record
from easymodel_nb.store.locks import PathLock
from easymodel_nb.store.two_slot import Damaged


class Settings(BaseModel):
    """The settings; keys of other versions are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)

    active: str | None = None
    theme: Literal["auto", "light", "dark"] = "auto"
    first_project: str | None = None
    order: list[str] = []  # of the project list, as far as the user laid it


class SettingsFile:
    """`settings.a.json` and `settings.b.json` of one home."""

    def __init__(self, home: Path, lock: PathLock) -> None:
        self._stem = home / "settings"
        self._lock = lock
        self._seen: tuple[record.Stamp, Settings] | None = None

    def read(self) -> Settings:
        """What is remembered; damaged files are set aside and read as nothing."""
        stamp = record.stamp(self._stem)
        if self._seen is None or self._seen[0] != stamp:
            with self._lock.held():
                stamp = record.stamp(self._stem)
                self._seen = (stamp, self._read())
        return self._seen[1]

    def _read(self) -> Settings:
        try:
            return Settings.model_validate(record.read(self._stem, "settings") or {})
        except Damaged as damage:
            record.set_aside(damage.paths)
        except ValidationError:
            pass  # from another version: kept until something is remembered
        return Settings()

    def remember(self, **changes: Any) -> Settings:
        """Change some settings; the others stay."""
        with self._lock.held():
            known = self._read()
            wanted = Settings.model_validate({**known.model_dump(), **changes})
            if wanted != known:
                record.write(self._stem, "settings", wanted.model_dump(mode="json"))
            return wanted

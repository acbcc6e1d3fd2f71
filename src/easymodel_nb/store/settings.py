"""What is remembered across projects."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from easymodel_nb.store.locks import PathLock
from easymodel_nb.store.shelf import shelf_at
from easymodel_nb.store.two_slot import Damaged

_TABLE = "settings"


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
        self._shelf, self._lock = shelf_at(home), lock
        self._seen: tuple[object, Settings] | None = None

    def read(self) -> Settings:
        """What is remembered; damaged files are set aside and read as nothing."""
        stamp = self._shelf.stamp(self._stem)
        known = self._seen
        if known is not None and known[0] == stamp:
            return known[1]
        with self._lock.held_soon() as held:
            if held:
                return self._read_anew()
        if known is not None:  # somebody writes, on a slow disk: nothing new is acknowledged yet
            return known[1]
        with self._lock.held():
            return self._read_anew()

    def _read_anew(self) -> Settings:
        raw = self._raw()  # may set files aside
        found = _understood(raw)
        self._seen = (self._shelf.stamp(self._stem), found)
        return found

    def remember(self, **changes: Any) -> Settings:
        """Change some settings; the others stay, also those that this version cannot read."""
        Settings.model_validate(changes)
        with self._lock.held():
            known = self._raw()
            wanted = {**Settings().model_dump(mode="json"), **known, **changes}
            if wanted != known:
                self._shelf.write(self._stem, _TABLE, wanted)
            return _understood(wanted)

    def _raw(self) -> dict[str, Any]:
        try:
            return self._shelf.read(self._stem, _TABLE) or {}
        except (Damaged, OSError):
            return {}


def _understood(raw: dict[str, Any]) -> Settings:
    """The settings without those values that another version wrote and this one cannot read."""
    try:
        return Settings.model_validate(raw)
    except ValidationError as error:
        strange = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
        return Settings.model_validate({k: v for k, v in raw.items() if k not in strange})

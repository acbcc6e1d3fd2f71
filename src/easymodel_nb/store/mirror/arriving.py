"""Projects and settings of other machines: brought here, the newest descendant first."""

import contextlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.events import now
from easymodel_nb.store.mirror import copying
from easymodel_nb.store.mirror.contents import DELETED, Home
from easymodel_nb.store.mirror.folder import Synced
from easymodel_nb.store.mirror.lineage import Head, content_of, decide, joined, next_version
from easymodel_nb.store.mirror.manifest import Manifest, Origin, ProjectEntry
from easymodel_nb.store.mirror.memory import Known, Memory, keep
from easymodel_nb.store.mirror.saving import cleaned, commit, missed
from easymodel_nb.store.settings import Settings, SettingsFile
from easymodel_nb.store.two_slot import slot_paths

_LONGEST = 120


class Version(NamedTuple):
    """A version of another machine's, read whole."""

    head: Head
    record: dict[str, Any]
    origin: Origin | None


class Arrivals:
    """Brings projects here; `late` counts what is named there and has not arrived yet."""

    def __init__(self, contents: Home, folder: Synced, memory: Memory) -> None:
        self._contents, self._folder, self._memory = contents, folder, memory
        self._read: dict[str, Version] = {}
        self.late = 0
        self.brought = 0

    def all(self, others: dict[str, list[Manifest]]) -> None:
        """Decide about each project that another machine has; `others`: newest first."""
        self.late = 0
        with self._contents.lock.held():
            missed(self._memory, {name for name in self._contents.names() if self._is_here(name)})
        found: dict[str, list[Version]] = {}
        gone: dict[str, set[str]] = {}
        for name, versions in self._memory.gone.items():
            gone.setdefault(name, set()).update(versions)
        for published in others.values():
            for name, versions in (published[0].gone if published else {}).items():
                gone.setdefault(name, set()).update(versions)
            for name in dict.fromkeys(name for one in published for name in one.projects):
                entries = [one.projects[name] for one in published if name in one.projects]
                if (version := self._version(name, entries, published[0])) is not None:
                    found.setdefault(name, []).append(version)
        copies = {
            (version.origin.project, version.origin.version)
            for versions in found.values()
            for version in versions
            if version.origin is not None
        }
        # Originals first: a copy of what is here now need not be brought.
        for name in sorted(found, key=lambda name: (any(v.origin for v in found[name]), name)):
            with self._contents.lock.held(), contextlib.suppress(StudioError):
                self._decide(name, found[name], gone.get(name, set()), copies)
        self._read.clear()
        keep(self._contents.home, self._memory)

    def settings(self, others: dict[str, list[Manifest]]) -> None:
        """What is remembered across projects, for a home that remembers nothing yet."""
        if any(path.exists() for path in slot_paths(self._contents.home / "settings")):
            return
        newest = sorted((one[0] for one in others.values() if one), key=lambda m: m.time)
        for manifest in reversed(newest):
            stored = manifest.settings
            content = copying.read(self._folder, stored.at, stored.wanted) if stored else None
            if content is not None:
                with contextlib.suppress(ValueError):
                    known = Settings.model_validate_json(content)
                    file = SettingsFile(self._contents.home, self._contents.lock)
                    file.remember(**known.model_dump(mode="json"))
                    return

    # ------------------------------------------------------------ reading

    def _version(
        self, name: str, entries: Iterable[ProjectEntry], newest: Manifest
    ) -> Version | None:
        """A machine's newest version that can be read; None where it has nothing new."""
        if not _is_id(name):
            return None
        here = self._memory.projects.get(name)
        for entry in entries:
            if here is not None and entry.version in {here.version, *here.ancestors}:
                return None
            if entry.version in self._memory.settled.get(name, []):
                return None
            version = self._read.get(entry.version) or self._fetch(entry, newest)
            if version is not None and version.record.get("id") == name:
                self._read[entry.version] = version
                return version
            self.late += 1
        return None

    def _fetch(self, entry: ProjectEntry, newest: Manifest) -> Version | None:
        content = copying.read(self._folder, entry.file.at, entry.file.wanted)
        if content is None:
            return None
        try:
            raw = json.loads(content)
            record = cleaned(raw["record"])
            known = Known.model_validate({k: v for k, v in raw.items() if k != "record"})
            if content_of(record, trashed=known.trashed) != known.content:
                return None
            revision = record["revision"]
        except (ValueError, KeyError, TypeError):
            return None
        if not isinstance(revision, int) or not isinstance(record["name"], str):
            return None
        head = Head(
            version=known.version,
            content=known.content,
            ancestors=known.ancestors,
            time=known.time,
            machine=newest.machine,
            host=newest.host,
            trashed=known.trashed,
        )
        return Version(head, record, known.origin)

    # ------------------------------------------------------------ deciding

    def _decide(
        self, name: str, found: list[Version], gone: set[str], copies: set[tuple[str, str]]
    ) -> None:
        here = self._here(name)
        if here is None:
            found = [one for one in found if not self._have(one.origin)]
        settled = self._memory.settled.setdefault(name, [])
        decision = decide(_head(here), [one.head for one in found], gone, settled)
        records = {one.head.version: one for one in found}
        if decision.take is not None:
            self._take(name, records[decision.take.version])
        for head in decision.beside:
            if (name, head.version) not in copies:
                self._beside(name, records[head.version])
            settled.append(head.version)
        known = self._memory.projects.get(name)
        if known is not None and decision.same:
            pasts = ([*head.ancestors, head.version] for head in decision.same)
            known.ancestors = joined(known.ancestors, *pasts)

    def _here(self, name: str) -> Known | None:
        """The version that is here at this moment; the caller holds the lock."""
        found = self._contents.undamaged(name)
        if found is None:
            return None
        raw, trashed = found
        return commit(self._memory, name, cleaned(raw), trashed=trashed)

    def _is_here(self, name: str) -> bool:
        """Whether there is a record; reading one that is damaged sets it aside."""
        try:
            return self._contents.undamaged(name) is not None
        except StudioError:  # unreadable for now
            return True

    def _have(self, origin: Origin | None) -> bool:
        """Whether the version that this is a copy of is part of a project here."""
        known = self._memory.projects.get(origin.project) if origin else None
        return (
            known is not None
            and origin is not None
            and (origin.version == known.version or origin.version in known.ancestors)
        )

    # ------------------------------------------------------------ writing

    def _take(self, name: str, version: Version) -> None:
        head = version.head
        self._write(name, version.record, trashed=head.trashed)
        self._memory.projects[name] = Known(
            version=head.version,
            content=head.content,
            ancestors=head.ancestors,
            time=head.time,
            trashed=head.trashed,
            origin=version.origin,
        )
        self.brought += 1

    def _beside(self, name: str, version: Version) -> None:
        """Keep it as "NAME (from HOST, date)", once: what follows it there follows it here."""
        head, record = version.head, version.record
        told = f" (from {head.host}, {head.time[:10]})"
        title = f"{record['name'][: _LONGEST - len(told)]}{told}"
        target = self._followed(name, head) or f"{name}-{head.version[:8]}"
        workflow = {**record["workflow"], "name": title}
        copied = {**record, "id": target, "name": title, "workflow": workflow}
        content = content_of(copied, trashed=head.trashed)
        before = self._memory.projects.get(target)
        if before is None and self._contents.projects.there(target):
            return
        self._write(target, copied, trashed=head.trashed)
        self._memory.projects[target] = Known(
            version=next_version(before.version if before else "", content),
            content=content,
            ancestors=joined(before.ancestors, [before.version]) if before else (),
            time=head.time,
            trashed=head.trashed,
            origin=Origin(project=name, version=head.version),
        )
        self.brought += 1

    def _followed(self, name: str, head: Head) -> str | None:
        """An earlier copy of the same branch that nobody has changed here."""
        for target, known in list(self._memory.projects.items()):
            origin = known.origin
            if origin and origin.project == name and origin.version in head.ancestors:
                here = self._here(target)
                if here is not None and here.origin == origin and not here.trashed:
                    return target
        return None

    def _write(self, name: str, record: dict[str, Any], *, trashed: bool) -> None:
        projects, trash = self._contents.projects, self._contents.trash
        raw = {key: value for key, value in record.items() if key != DELETED}
        with contextlib.suppress(StudioError):
            here = self._contents.record(name)
            raw["revision"] = max(raw["revision"], here[0]["revision"] + 1 if here else 0)
        if trashed:
            trash.write(name, {**raw, DELETED: record.get(DELETED) or now()})
            if projects.there(name):
                projects.remove(name)
        else:
            projects.write(name, raw)
            if trash.there(name):
                trash.remove(name)


def _head(known: Known | None) -> Head | None:
    if known is None:
        return None
    return Head(known.version, known.content, known.ancestors, known.time, trashed=known.trashed)


def _is_id(text: str) -> bool:
    return 0 < len(text) < 100 and all(sign.isalnum() or sign in "-_" for sign in text)  # noqa: PLR2004

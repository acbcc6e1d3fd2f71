"""One pass: what the mirror has not got is copied there, then the manifest that names it."""

import contextlib
import json
from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeGuard

from easymodel_nb.runlog.events import now
from easymodel_nb.store.mirror import manifest as manifests
from easymodel_nb.store.mirror.contents import LOG, Home, RunFiles
from easymodel_nb.store.mirror.copying import Moving, Source, Stop, digest, put
from easymodel_nb.store.mirror.folder import Synced
from easymodel_nb.store.mirror.hiding import hidden_in
from easymodel_nb.store.mirror.lineage import content_of, joined, next_version
from easymodel_nb.store.mirror.manifest import Manifest, ProjectEntry, RunEntry, Stored
from easymodel_nb.store.mirror.memory import Digests, Known, Memory, keep
from easymodel_nb.store.settings import SettingsFile
from easymodel_nb.store.two_slot import slot_paths

Clean = Callable[[dict[str, Any]], dict[str, Any]]
_GONE = 500  # versions remembered of each project that was thrown away


def cleaned(raw: dict[str, Any]) -> dict[str, Any]:
    """A project's record without what signs in."""
    found: dict[str, Any] = hidden_in(raw)
    return found


class Saver:
    """Copies a home to a synced folder; one thread of one process at a time."""

    def __init__(self, home: Path, contents: Home, folder: Synced, memory: Memory) -> None:
        self._home, self._contents, self._folder, self._memory = home, contents, folder, memory
        self._digests = Digests(home)
        self._elsewhere: dict[tuple[int, str], Stored] = {}
        self._seen: set[str] = set()  # files of other machines that are there
        self._named: dict[str, set[str]] = {}  # by manifest of this machine: the files it names
        self.asked: dict[str, tuple[int, int]] = {}
        self.declined: dict[str, tuple[int, int]] = {}
        self.safe: dict[str, int] = {}  # by run: the newest checkpoint that is there

    def elsewhere(self, others: list[Manifest]) -> None:
        """What other machines have there need not be copied once more."""
        self._elsewhere = {
            stored.wanted: stored for manifest in others for stored in manifest.stored()
        }

    def save(self, stop: Stop, *, check: bool = False) -> bool:
        """Copy what is new; False when something changed meanwhile and is for the next pass.

        `check` looks whether everything that was copied before is still there.

        Raises
        ------
        OSError
            When the folder refuses; what was copied until then is not copied again.
        Stopped
            When `stop` said so.

        """
        before = self._memory.published or Manifest(machine="", host="")
        if check:
            before = self._still_there(before)
        made = Manifest(machine=self._memory.machine, host=self._memory.host)
        # What this home cannot read at the moment (damaged, deleted by hand) stays as it is there.
        made.projects = dict(before.projects)
        made.runs, made.uploads = dict(before.runs), dict(before.uploads)
        self._versions(made)
        keep(self._home, self._memory)
        known = {**self._elsewhere, **{stored.wanted: stored for stored in before.stored()}}
        self._projects(made, known, stop)
        self._settings(made, known, stop)
        whole = True
        for run in self._contents.run_ids():
            whole &= self._run(run, made, known, stop)
        for name, source in self._contents.uploads().items():
            at = f"{made.machine}/uploads/{name}"
            made.uploads[name] = self._copied(source, _at(at), known, stop)
        made.gone = self._memory.gone
        if made != before.model_copy(update={"number": 0, "time": ""}):
            top = manifests.highest(self._folder, made.machine)
            made.number, made.time = max(before.number, top) + 1, now()
            manifests.publish(self._folder, made, stop)
            self._memory.published = made
            self._sweep(made)
        self._digests.keep()
        return whole

    # ------------------------------------------------------------ projects

    def _versions(self, made: Manifest) -> None:
        """Name what changed since the last pass; what left the trash for good is gone."""
        for name, raw, trashed in self._contents.records():
            commit(self._memory, name, cleaned(raw), trashed=trashed)
        for name in missed(self._memory, self._contents.names()):
            made.projects.pop(name, None)

    def _projects(self, made: Manifest, known: dict[tuple[int, str], Stored], stop: Stop) -> None:
        for name, raw, trashed in self._contents.records():
            here = self._memory.projects.get(name)
            record = cleaned(raw)
            if here is None or content_of(record, trashed=trashed) != here.content:
                continue  # changed since it was named: the next pass
            entry = made.projects.get(name)
            if entry is not None and entry.version == here.version:
                if entry.origin != here.origin:
                    made.projects[name] = entry.model_copy(update={"origin": here.origin})
                continue
            text = json.dumps({"record": record, **here.model_dump()}, allow_nan=False)
            content = text.encode()
            at = f"{made.machine}/projects/{name}-{here.version}.json"
            stored = self._given(content, at, known, stop)
            made.projects[name] = ProjectEntry(
                name=str(record["name"]),
                version=here.version,
                content=here.content,
                time=here.time,
                trashed=trashed,
                origin=here.origin,
                file=stored,
            )

    def _settings(self, made: Manifest, known: dict[tuple[int, str], Stored], stop: Stop) -> None:
        if not any(path.exists() for path in slot_paths(self._home / "settings")):
            return  # nothing was remembered yet
        settings = SettingsFile(self._home, self._contents.lock).read()
        content = json.dumps(settings.model_dump(mode="json"), sort_keys=True).encode()
        sha256 = digest([content])[1]
        at = f"{made.machine}/settings/{sha256[:16]}.json"
        made.settings = self._given(content, at, known, stop)

    # ------------------------------------------------------------ runs

    def _run(
        self, run: str, made: Manifest, known: dict[tuple[int, str], Stored], stop: Stop
    ) -> bool:
        found = self._contents.run(run)
        if found is None:
            return True
        for answers, about in ((self.asked, not found.declined), (self.declined, found.declined)):
            if found.asked is not None and about:
                answers[run] = found.asked
            else:
                answers.pop(run, None)
        try:
            files = dict(self._run_files(run, found, made.machine, known, stop))
        except (Moving, FileNotFoundError):  # a checkpoint made way for a newer one
            self._contents.forget(run)
            return False
        made.runs[run] = RunEntry(
            files=files,
            time=found.view.ended or found.view.started or found.view.created,
            label=str((found.view.request.get("node") or {}).get("label") or ""),
            copy_of=self._memory.copies.get(run),
        )
        self.safe.pop(run, None)
        if (step := found.newest_checkpoint) is not None:
            self.safe[run] = step
        return True

    def _run_files(
        self,
        run: str,
        found: RunFiles,
        machine: str,
        known: dict[tuple[int, str], Stored],
        stop: Stop,
    ) -> Iterator[tuple[str, Stored]]:
        root = f"{machine}/runs/{run}"
        for unit, sources in found.large.items():
            marks = {name: self._digest(source) for name, source in sources.items()}
            mark = digest([repr(sorted(marks.items())).encode()])[1][:8]
            for name, source in sources.items():
                rest = name.removeprefix(f"{unit}/")
                at = f"{root}/{unit}-{mark}/{rest}"
                yield name, self._copied(source, _at(at), known, stop)
        # The log last: it tells of what was copied before it.
        for name, source in sorted(found.small.items(), key=lambda item: item[0] == LOG):
            stem, _, suffix = name.partition(".")

            def place(sha256: str, stem: str = stem, suffix: str = suffix) -> str:
                return f"{root}/{stem}-{sha256[:12]}.{suffix}"

            yield name, self._copied(source, place, known, stop)

    # ------------------------------------------------------------ copying

    def _digest(self, source: Source) -> tuple[int, str]:
        args = source.path, source.length, source.text
        found = self._digests.get(*args)
        if found is None:
            found = digest(source.parts())
            self._digests.put(*args, found)
        return found

    def _copied(
        self,
        source: Source,
        place: Callable[[str], str],
        known: dict[tuple[int, str], Stored],
        stop: Stop,
    ) -> Stored:
        wanted = self._digest(source)
        if self._is_there(stored := known.get(wanted)):
            return stored
        at = place(wanted[1])
        put(self._folder, source.parts(), at, wanted, stop)
        known[wanted] = Stored(size=wanted[0], sha256=wanted[1], at=at)
        return known[wanted]

    def _given(
        self, content: bytes, at: str, known: dict[tuple[int, str], Stored], stop: Stop
    ) -> Stored:
        wanted = digest([content])
        if self._is_there(stored := known.get(wanted)):
            return stored
        put(self._folder, [content], at, wanted, stop)
        return Stored(size=wanted[0], sha256=wanted[1], at=at)

    def _is_there(self, stored: Stored | None) -> TypeGuard[Stored]:
        """Whether a file is there; another machine's may have made way for a newer one."""
        if stored is None:
            return False
        if stored.at.startswith(f"{self._memory.machine}/") or stored.at in self._seen:
            return True
        if self._folder.size(stored.at) == stored.size:
            self._seen.add(stored.at)
            return True
        return False

    def _still_there(self, before: Manifest) -> Manifest:
        """What was published, without what somebody has deleted there."""
        self._seen.clear()
        there = {
            stored.at: self._folder.size(stored.at) == stored.size for stored in before.stored()
        }
        runs = {}
        for name, run in before.runs.items():
            files = {path: stored for path, stored in run.files.items() if there[stored.at]}
            if files:
                runs[name] = run.model_copy(update={"files": files})
        settings = before.settings
        return before.model_copy(
            update={
                "projects": {n: p for n, p in before.projects.items() if there[p.file.at]},
                "runs": runs,
                "uploads": {n: s for n, s in before.uploads.items() if there[s.at]},
                "settings": settings if settings and there[settings.at] else None,
            }
        )

    def _sweep(self, made: Manifest) -> None:
        """Delete what only manifests name that are no longer kept; never another machine's."""
        with contextlib.suppress(OSError):  # what stays costs room alone
            names = manifests.numbered(self._folder, made.machine)
            for name in names:
                if name not in self._named:
                    found = manifests.read(self._folder, made.machine, name)
                    self._named[name] = {stored.at for stored in found.stored()} if found else set()
            kept, left = names[: manifests.KEPT], names[manifests.KEPT :]
            used = {at for name in kept for at in self._named[name]}
            for name in left:
                for at in self._named[name] - used:
                    if at.startswith(f"{made.machine}/"):
                        self._folder.remove(at)
                manifests.remove(self._folder, made.machine, name)
                del self._named[name]


def _at(place: str) -> Callable[[str], str]:
    return lambda _: place


def missed(memory: Memory, seen: Collection[str]) -> list[str]:
    """Forget what is not here any more; answers what was thrown away for good.

    Only what was in the trash is: what else is missing was damaged or deleted by hand, and is
    brought back from the mirror at the next start.
    """
    thrown = []
    for name in [name for name in memory.projects if name not in seen]:
        known = memory.projects.pop(name)
        if known.trashed:
            versions = [*known.ancestors[-_GONE:], known.version]
            memory.gone[name] = [*memory.gone.get(name, []), *versions]
            thrown.append(name)
    return thrown


def commit(memory: Memory, name: str, record: dict[str, Any], *, trashed: bool) -> Known:
    """The version of a project's record, a new one where it changed since the last."""
    content = content_of(record, trashed=trashed)
    known = memory.projects.get(name)
    if known is not None and known.content == content:
        return known
    version = next_version(known.version if known else "", content)
    past = joined(known.ancestors, [known.version]) if known else ()
    made = Known(
        version=version,
        content=content,
        ancestors=past,
        time=datetime.now(UTC).isoformat(timespec="seconds"),
        trashed=trashed,
    )
    memory.projects[name] = made
    return made

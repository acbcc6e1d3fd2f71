"""A home that lay on the synced folder itself, as earlier versions allowed: taken over, once.

It is read and never written, so an earlier version still finds everything as it was.
"""

import shutil
from pathlib import Path

from easymodel_nb.runlog.log import runs_folder
from easymodel_nb.store.mirror.contents import LOG, Home
from easymodel_nb.store.mirror.memory import FOLDER
from easymodel_nb.store.two_slot import Damaged, newest

_DONE = "old-home"
_LEFT = shutil.ignore_patterns("live.json", ".*", "*.zip", "part-*", "*.part", "try*")


def take_projects(old: Path, contents: Home) -> int:
    """Bring projects that are not here; answers how many."""
    if _is_done(contents):
        return 0
    count = 0
    for name in sorted({path.name.split(".")[0] for path in (old / "projects").glob("*.json")}):
        try:
            slot = newest(old / "projects" / name)
        except Damaged:
            continue
        raw = slot.tables.get("project", {}).get("1") if slot else None
        with contents.lock.held():
            if isinstance(raw, dict) and raw.get("id") == name and contents.record(name) is None:
                contents.projects.write(name, raw)
                count += 1
    return count


def take_runs(old: Path, contents: Home) -> int:
    """Bring runs and uploads that are not here, and remember that all was brought."""
    if _is_done(contents):
        return 0
    count = 0
    for source in sorted(path.parent for path in (old / "runs").glob(f"*/{LOG}")):
        target = runs_folder(contents.home) / source.name
        if not target.exists():
            _copy(source, target, contents.home)
            count += 1
    for source in sorted((old / "uploads").glob("*")):
        target = contents.home / "uploads" / source.name
        if source.is_dir() and not source.name.startswith(".") and not target.exists():
            _copy(source, target, contents.home)
    done = contents.home / FOLDER / _DONE
    done.parent.mkdir(parents=True, exist_ok=True)
    done.write_text(str(count), encoding="ascii")
    return count


def _is_done(contents: Home) -> bool:
    return (contents.home / FOLDER / _DONE).exists()


def _copy(source: Path, target: Path, home: Path) -> None:
    part = home / FOLDER / "arriving" / target.name  # where nobody takes it for a run
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part, ignore=_LEFT)
    target.parent.mkdir(parents=True, exist_ok=True)
    part.rename(target)

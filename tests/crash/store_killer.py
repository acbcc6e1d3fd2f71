"""kill -9 of processes that change projects: `store_killer.py FOLDER KILLS SEED [later]`.

Workers are forks of this process, which imports once; it prints what it did and found as JSON.
Three ways to die: at a moment of chance; at a chosen line of the store's own code, so that each
line of each change has its turn; and in the middle of a write, so many bytes done.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from types import FrameType
from typing import Any

import later_version
import store_life
import tinydb
from store_life import Change, Life, State, lost, plant, state

import easymodel_nb
from easymodel_nb.store import backups, locks, shelf, two_slot
from easymodel_nb.workflow import document

PACKAGE = Path(easymodel_nb.__file__).parent
TRACED = (str(PACKAGE / "store"), str(PACKAGE / "runlog"), str(Path(tinydb.__file__).parent))
KINDS = ("create", "edit", "rename", "duplicate", "move", "delete", "restore", "empty", "settings",
         "run", "log")  # fmt: skip
PER_HOME = 20


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def forget() -> None:
    """Know nothing of what was read before, as a new process would."""
    shelf.shelf_at.cache_clear()
    locks.lock_at.cache_clear()


def die_at_line(count: int) -> None:
    """At the `count`th line of the store's code from now on."""
    left = count

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(TRACED):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                die()
        return trace

    sys.settrace(trace)


def die_in_write(count: int) -> None:
    """When `count` bytes of the next slot are written."""

    def put(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:count])
            file.flush()
            if count <= len(content):
                die()

    two_slot._put = put


def child(work: Any) -> tuple[int, int]:
    """Run `work(tell)` in a fork; answers its process and the pipe of what it tells."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    code = 1
    try:
        os.close(reading)
        forget()

        def tell(**message: Any) -> None:
            os.write(writing, (json.dumps(message) + "\n").encode())

        work(tell)
        code = 0
    except BaseException as error:  # noqa: BLE001  told, not raised: this is a fork of a test
        tell(error=f"{type(error).__name__}: {error}")
    finally:
        os._exit(code)


class Killer:
    """Kills, looks, and keeps count."""

    def __init__(self, folder: Path, seed: int, *, later: bool) -> None:
        self.folder, self.later = folder, later
        self.chance, self.seed = random.Random(seed), seed
        self.planted: list[str] = []
        self.report: dict[str, Any] = {
            "kills": 0, "acknowledged": 0, "unfinished": Counter(), "backups": 0, "lost": [],
        }  # fmt: skip

    def fresh(self, name: str) -> Path:
        home = self.folder / name
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir(parents=True)
        forget()
        self.planted = plant(home, 4, version=document.VERSION - self.later)
        return home

    def look(self, home: Path, before: State, change: Change | None, how: str) -> None:
        """Compare what a new process finds with what was acknowledged."""
        forget()
        self.report["kills"] += 1
        if change is not None:
            self.report["unfinished"][change["kind"]] += 1
        try:
            found = lost(before, change, state(home))
            found += self.unbacked(home) if self.later else []
        except Exception as error:  # noqa: BLE001  a studio that cannot look has lost all
            found = [f"{type(error).__name__}: {error}"]
        self.report["lost"] += [f"{how}, {change}: {what}" for what in found]

    def unbacked(self, home: Path) -> list[str]:
        """Projects that were written in the next version without keeping the one before."""
        bad = []
        for name in self.planted:
            slots = [two_slot.newest(home / folder / name) for folder in ("projects", "trash")]
            versions = [s.tables["project"]["1"]["workflow"]["version"] for s in slots if s]
            if document.VERSION in versions:
                kept = backups.path_of(home / "projects" / name, document.VERSION - 1)
                whole = kept.exists() and json.loads(kept.read_bytes())["workflow"]["version"]
                self.report["backups"] += 1
                if whole != document.VERSION - 1:
                    bad.append(f"{name} was migrated without a backup")
        return bad

    # ------------------------------------------------------------ ways to die

    def by_chance(self, kills: int) -> None:
        """Killed at any moment, again and again on the same home."""
        home = self.folder
        for number in range(kills):
            if number % PER_HOME == 0:
                home = self.fresh(f"chance-{number // PER_HOME}")
            self.seed += 1
            seed, wanted = self.seed, self.chance.randint(0, 8)
            moment = self.chance.uniform(0, 0.02)

            def live(tell: Any, home: Path = home, seed: int = seed) -> None:
                life = Life(home, seed)
                tell(state=state(home))
                for change, do in life.changes():
                    tell(change=change)
                    do()
                    tell(state=state(home))

            pid, pipe = child(live)
            before, change, count = State(), None, -1
            with os.fdopen(pipe, encoding="utf-8") as lines:
                killed = False
                for line in lines:
                    message = store_life.told(line)
                    if message is None:
                        break
                    if "error" in message:
                        self.report["lost"].append(f"a living worker failed: {message}")
                        killed = True
                    before = message.get("state", before)
                    change = None if "state" in message else message.get("change", change)
                    count += "state" in message
                    if not killed and count >= wanted and change is not None:
                        until = time.perf_counter() + moment
                        while time.perf_counter() < until:
                            pass  # the moment of the kill is a matter of microseconds
                        os.kill(pid, signal.SIGKILL)
                        killed = True
            os.waitpid(pid, 0)
            self.report["acknowledged"] += max(0, count)
            self.look(home, before, change, f"chance {number}")

    def at_each(self, what: str, step: int) -> None:
        """Each kind of change, killed at every `step`th line or byte of it."""
        die_then = {"line": die_at_line, "byte": die_in_write}[what]
        kinds = KINDS if what == "line" else ("create", "edit", "settings")
        for kind in kinds:
            model = self.fresh(f"{what}-{kind}-model")
            life = Life(model, self.seed)
            if kind in {"restore", "empty"}:
                life.store.delete(life.store.list_projects()[0].id)
            count = self.chance.randrange(1, step + 1)
            while self.once(kind, model, what, count, die_then):
                count += step

    def once(self, kind: str, model: Path, what: str, count: int, die_then: Any) -> bool:
        home = self.folder / f"{what}-{kind}"
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(model, home)

        def live(tell: Any) -> None:
            life = Life(home, self.seed)
            projects = [info.id for info in life.store.list_projects()]
            if kind == "log":
                life.run(projects[0])
            change, do = life.change(kind, projects, [t.id for t in life.store.trash.items()])
            tell(state=state(home))
            tell(change=change)
            die_then(count)
            do()
            sys.settrace(None)
            tell(done=True)

        pid, pipe = child(live)
        with os.fdopen(pipe, encoding="utf-8") as lines:
            messages = [store_life.told(line) or {} for line in lines]
        os.waitpid(pid, 0)
        failed = [message for message in messages if "error" in message]
        if failed or len(messages) < 2:
            self.report["lost"].append(f"a living worker failed: {kind} {count} {messages}")
            return False
        if messages[-1].get("done"):
            return False
        self.look(home, messages[0]["state"], messages[1]["change"], f"{what} {count}")
        return True


def main(folder: str, kills: str, seed: str, lines: str, *more: str) -> None:
    if "later" in more:
        later_version.install()
    killer = Killer(Path(folder), int(seed), later="later" in more)
    killer.by_chance(int(kills))
    if int(lines):
        killer.at_each("line", int(lines))
        killer.at_each("byte", int(lines))
    sys.stdout.write(json.dumps(killer.report) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])

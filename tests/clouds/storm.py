"""A storm over two machines on one synced folder, and what has to be there after it."""

import shutil
import tempfile
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from clouds import Cloud, FaultyFolder, Killed, Machine, notes

from easymodel_nb.errors import StudioError

_FAULTS = 0.02
STEPS = (
    *("write",) * 6,
    *("save", "sync", "meet") * 3,
    *("restart", "erase", "killed") * 2,
    *("train", "train"),
    *("new", "delete", "restore", "machine"),
)
_ROUNDS = 6  # passes and looks until nothing may move any more


class Storm:
    """Steps of a storm. A note that was written is expected until somebody erases it.

    A machine that is lost (its home with it) leaves behind what it had saved; what it had not is
    expected no more, unless another machine has it.
    """

    def __init__(self, seed: int) -> None:
        memory = Path("/dev/shm")  # flushing to a disk is not what is tested here
        self.root = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
        self.random, self.cloud = Random(seed), Cloud()
        self.number = 0
        self.lost = 0
        self.machines = [self._made(who) for who in (0, 1)]
        self.expected: set[str] = set()
        self.unsaved: list[set[str]] = [set(), set()]  # not acknowledged as saved yet

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.root, ignore_errors=True)

    def _made(self, who: int) -> Machine:
        self.number += 1
        folder = FaultyFolder(self.cloud, Random(self.random.random()), faults=_FAULTS)
        return Machine(self.root / f"m{who}-{self.number}", folder)

    # ------------------------------------------------------------ steps

    def step(self, who: int, what: str) -> None:
        """One thing that happens to one machine."""
        getattr(self, f"_{what}")(who)

    def _token(self, who: int) -> str:
        self.number += 1
        token = f"t{self.number}"
        self.expected.add(token)
        self.unsaved[who].add(token)
        return token

    def _new(self, who: int) -> None:
        machine = self.machines[who]
        machine.store.create(f"P{self.number}", notes(self._token(who)))

    def _write(self, who: int) -> None:
        machine = self.machines[who]
        if ids := machine.projects():
            machine.write(self.random.choice(ids), self._token(who))

    def _erase(self, who: int) -> None:
        machine = self.machines[who]
        if ids := machine.projects():
            gone = machine.erase(self.random.choice(ids))
            self.expected.discard(gone or "")

    def _delete(self, who: int) -> None:
        machine = self.machines[who]
        if ids := machine.projects():
            machine.store.delete(self.random.choice(ids))

    def _restore(self, who: int) -> None:
        machine = self.machines[who]
        if ids := machine.store.trash.ids():
            machine.store.restore(self.random.choice(ids))

    def _train(self, who: int) -> None:
        machine = self.machines[who]
        runs = machine.runs_here()
        new = not runs or self.random.random() < 0.3
        machine.train(None if new else self.random.choice(runs), self._token(who))

    def _save(self, who: int) -> None:
        machine = self.machines[who]
        if machine.attempt(machine.save):
            self.unsaved[who].clear()

    def _sync(self, who: int) -> None:
        machine = self.machines[who]
        machine.folder.sync(self.random.random())

    def _restart(self, who: int) -> None:
        machine = self.machines[who]
        machine.begin()
        machine.attempt(machine.look)

    def _killed(self, who: int) -> None:
        machine = self.machines[who]
        machine.folder.kill_after = self.random.randrange(1, 40)
        try:
            machine.attempt(machine.look)
            machine.attempt(machine.save)
        except Killed:
            pass
        machine.folder.kill_after = None
        machine.begin()

    def _machine(self, who: int) -> None:
        machine = self.machines[who]
        # Drive's own program uploads what it has taken before the machine ends, or never:
        # what was never uploaded nobody can promise.
        while machine.folder.uploads:
            machine.folder.sync()
        here = machine.tokens()
        self.machines[who] = self._made(who)
        other = self.machines[1 - who].tokens()
        self.expected -= (here & self.unsaved[who]) - other
        self.expected -= self.unsaved[who] - other
        self.unsaved[who].clear()
        self.lost += 1

    def _meet(self, who: int) -> None:
        """What is saved by now reaches the other one, as far as the faults let it."""
        machine = self.machines[who]
        if machine.attempt(machine.save):
            self.unsaved[who].clear()
        for one in (*self.machines, *self.machines):
            one.folder.sync()
        other = self.machines[1 - who]
        other.begin()
        other.attempt(other.look)

    # ------------------------------------------------------------ afterwards

    def settle(self) -> None:
        """The weather clears: everything travels, and both begin anew until nothing moves."""
        for machine in self.machines:
            machine.folder.faults = 0.0
        still = 0
        for _ in range(_ROUNDS):
            moved = 0
            for machine in self.machines:
                machine.begin()
                moved += machine.look()
                machine.save(check=True)
            for machine in (*self.machines, *self.machines):
                machine.folder.sync()
            still = 0 if moved else still + 1
            if still == 2:  # what one machine made of the last look has been seen by the other
                return
        raise AssertionError(f"after {_ROUNDS} rounds copies are still being made")

    def check(self) -> None:
        """Each machine has every note that nobody erased."""
        for machine in self.machines:
            missing = self.expected - machine.tokens()
            assert not missing, f"{missing} are gone from {machine.home.name}"
            for project in machine.projects():
                try:
                    machine.store.load(project)
                except StudioError as error:
                    raise AssertionError(f"{project} cannot be read: {error}") from error

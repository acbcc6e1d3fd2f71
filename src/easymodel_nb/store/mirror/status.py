"""How the mirror stands, as people are told."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """A full checkpoint that is copied once the user agrees."""

    run: str
    step: int
    bytes: int


@dataclass(frozen=True)
class Status:
    """What people are told."""

    place: str
    saved: str | None = None
    pending: bool = False
    problem: str | None = None
    note: str | None = None  # what is being brought here
    free: int | None = None
    asked: list[Asked] = field(default_factory=list)
    declined: list[Asked] = field(default_factory=list)  # asked about, and kept here
    safe: dict[str, int] = field(default_factory=dict)  # by run: the newest checkpoint there
    away: dict[str, int] = field(default_factory=dict)  # by run: bytes that are there alone

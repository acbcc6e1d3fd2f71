"""Which of two versions of a project came from the other: pure functions.

A version is named by the one it was made from and by what it holds, so that equal contents at
different times are different versions, and the same change made twice from one version is one.
Each version knows its ancestors; two of which neither is the other's ancestor have diverged.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

REMEMBERED = 2000  # ancestors; what is older counts as diverged, and is kept beside


@dataclass(frozen=True)
class Head:
    """The newest version of a project on one machine."""

    version: str
    content: str
    ancestors: tuple[str, ...]  # the oldest first
    time: str = ""
    machine: str = ""
    host: str = ""
    trashed: bool = False

    def descends_from(self, other: "Head") -> bool:
        """Whether this is that version, or was made from it."""
        return self.version == other.version or other.version in self.ancestors


@dataclass(frozen=True)
class Decision:
    """What a machine does about what others have."""

    take: Head | None = None  # put this in place of what is here
    beside: list[Head] = field(default_factory=list)  # keep these as copies
    same: list[Head] = field(default_factory=list)  # equal to what will be here: join the pasts


def content_of(raw: dict[str, Any], *, trashed: bool) -> str:
    """The digest of what the user made, whatever its revision."""
    kept = {"name": raw["name"], "workflow": raw["workflow"], "trashed": trashed}
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def next_version(before: str, content: str) -> str:
    """The name of a version made from `before` ("" for none)."""
    return hashlib.sha256(f"{before}\n{content}".encode()).hexdigest()[:16]


def joined(*pasts: Iterable[str]) -> tuple[str, ...]:
    """Ancestors of several pasts as one, each once."""
    return tuple(dict.fromkeys(version for past in pasts for version in past))[-REMEMBERED:]


def decide(
    here: Head | None, others: Sequence[Head], gone: Collection[str], settled: Collection[str]
) -> Decision:
    """Newest descendant wins; what diverged is kept beside, once."""
    alive = [head for head in others if head.version not in gone]
    tips = _tips(alive)
    if here is None:
        fresh = [tip for tip in tips if tip.version not in settled]
        if not fresh:
            return Decision()
        take = max(fresh, key=_age)
        rest = [tip for tip in fresh if tip is not take]
        same = [tip for tip in rest if tip.content == take.content]
        return Decision(take, [tip for tip in rest if tip.content != take.content], same)
    news = [tip for tip in tips if not here.descends_from(tip) and tip.version not in settled]
    newer = [tip for tip in news if tip.descends_from(here)]
    newest = max(newer, key=_age, default=None)
    there = newest or here
    rest = [tip for tip in news if tip is not newest and not there.descends_from(tip)]
    same = [tip for tip in rest if tip.content == there.content]
    return Decision(newest, [tip for tip in rest if tip.content != there.content], same)


def _tips(heads: Sequence[Head]) -> list[Head]:
    """Those from which no other was made, each version once."""
    unique = list({head.version: head for head in heads}.values())
    return [
        head
        for head in unique
        if not any(
            other is not head
            and other.descends_from(head)
            and not (head.descends_from(other) and head.version > other.version)
            for other in unique
        )
    ]


def _age(head: Head) -> tuple[bool, str, str]:
    return not head.trashed, head.time, head.version

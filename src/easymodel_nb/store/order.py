"""The order of the project list: as the user laid it, what is new on top.

Only what was moved is remembered. A project that the order does not know stands above it,
the newest first, so that what was just made is in view however long the list is; one that was
deleted keeps its place for the day it is restored.
"""

from collections.abc import Iterable, Sequence


def arranged(ids: Iterable[str], order: Sequence[str]) -> list[str]:
    """The ids as the list shows them; ids sort by the time they were made."""
    places = {project_id: place for place, project_id in enumerate(order)}
    known = set(ids)
    fresh = sorted(known - places.keys(), reverse=True)
    return [*fresh, *sorted(known & places.keys(), key=places.__getitem__)]


def moved(
    shown: Sequence[str], order: Sequence[str], project_id: str, before: str | None
) -> list[str]:
    """The order to remember when a project is put before another one, or (None) at the end.

    What is in the order but not shown is in the trash: it stays behind the one it followed.
    """
    there = set(shown)
    rest = [other for other in shown if other != project_id]
    place = rest.index(before) if before in rest else len(rest)
    wanted = [*rest[:place], project_id, *rest[place:]]
    for at, gone in enumerate(order):
        if gone not in there:
            leader = next((other for other in reversed(order[:at]) if other in wanted), None)
            wanted.insert(0 if leader is None else wanted.index(leader) + 1, gone)
    return wanted

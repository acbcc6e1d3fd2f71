"""The order of what waits: moved as the user likes, but a run never before the one it needs."""

from collections.abc import Mapping, Sequence


def moved(order: Sequence[str], run: str, place: int, after: Mapping[str, str]) -> list[str]:
    """The order with one run at another place, as near to it as what it needs allows."""
    rest = [name for name in order if name != run]
    place = max(0, min(place, len(rest)))
    return settled([*rest[:place], run, *rest[place:]], after)


def settled(order: Sequence[str], after: Mapping[str, str]) -> list[str]:
    """The order, where what would come before the run it needs comes right behind it."""
    found: list[str] = []
    open_ = set(order)

    def put(name: str) -> None:
        found.append(name)
        open_.discard(name)
        for held in order:
            if held in held_back and after.get(held) == name:
                held_back.discard(held)
                put(held)

    held_back: set[str] = set()
    for name in order:
        if after.get(name) in open_ and after.get(name) != name:
            held_back.add(name)
        else:
            put(name)
    return [*found, *(name for name in order if name in held_back)]  # of a circle, which cannot be

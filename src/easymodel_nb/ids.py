"""Ids that sort by the order in which things were made, whatever the clock does."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_LAST_YEAR = 3000
_FORMAT = "%Y%m%dT%H%M%S%f"


def next_id(known: Iterable[str], *, digits: int = 6) -> str:
    """An id behind all that are known: the time, or a moment after the newest one's.

    A clock that went backwards would sort what is new below what is old. `digits` is how finely
    a second is told.
    """
    grain = timedelta(microseconds=10 ** (6 - digits))
    moment = datetime.now(UTC).replace(tzinfo=None)
    newest = max((when for one in known if (when := _moment(one))), default=None)
    if newest is not None and newest + grain > moment:
        moment = newest + grain
    stamp = moment.strftime(_FORMAT)
    return f"{stamp[: len(stamp) - 6 + digits]}-{secrets.token_hex(2)}"


def _moment(one: str) -> datetime | None:
    stamp = one.partition("-")[0]
    try:
        found = datetime.fromisoformat(f"{stamp[:15]}.{stamp[15:]}")  # UTC, as written
    except ValueError:
        return None
    made_up = found.tzinfo is not None or found.year >= _LAST_YEAR
    return None if made_up else found

"""Ids that sort by the order in which things were made, whatever the clock does."""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

_FORMAT = "%Y%m%dT%H%M%S%f"


def next_id(known: Iterable[str]) -> str:
    """An id behind all that are known: the time, or a moment after the newest one's.

    A clock that went backwards would sort what is new below what is old.
    """
    moment = datetime.now(UTC).replace(tzinfo=None)
    newest = max((when for one in known if (when := _moment(one))), default=None)
    if newest is not None and newest >= moment:
        moment = newest + timedelta(microseconds=1)
    return f"{moment.strftime(_FORMAT)}-{secrets.token_hex(2)}"


def _moment(one: str) -> datetime | None:
    try:
        return datetime.strptime(one.partition("-")[0], _FORMAT)  # noqa: DTZ007  UTC, as written
    except ValueError:
        return None

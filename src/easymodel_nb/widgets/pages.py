"""Which part of the studio the open pages show: what nobody sees is not drawn."""

from typing import Literal

Shows = Literal["canvas", "analytics", "nothing"]
_KEPT = 16


class Pages:
    """What each page last said, with its pulls; may be asked from any thread.

    A page that went without a word counts as it was: then more is drawn than is seen, never less.
    """

    def __init__(self) -> None:
        self._shows: dict[str, Shows] = {}  # never changed, only replaced

    def say(self, page: str, shows: Shows) -> None:
        """Take what a page says; "" is a page that does not tell."""
        if page and self._shows.get(page) != shows:
            others = [(name, what) for name, what in self._shows.items() if name != page]
            self._shows = dict([*others, (page, shows)][-_KEPT:])

    @property
    def watched(self) -> bool:
        """Whether anyone may see the studio; a page that did not speak yet may."""
        return not self._shows or set(self._shows.values()) != {"nothing"}

    @property
    def analytics(self) -> bool:
        """Whether anyone looks at the dashboard."""
        return "analytics" in self._shows.values()

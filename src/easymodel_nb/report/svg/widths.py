"""How wide a text is, without a font: the advances of DejaVu Sans, the widest `system-ui` gives."""

import unicodedata

_FIRST = 32
# Hundredths of an em of each ASCII character from the space on (DejaVu Sans 2.37, table hmtx).
_ASCII = (
    *(32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34),  # space to /
    *(64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53),  # 0 to ?
    *(100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79),  # @ to O
    *(60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50),  # P to _
    *(50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61),  # ` to o
    *(63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84),  # p to ~
)
_WIDE, _OTHER = 105, 84
_BOLDER = 1.12
ELLIPSIS = "\u2026"


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Pixels of one line at that size; on the wide side for what is not ASCII."""
    return sum(map(_advance, text)) * size / 100 * (_BOLDER if bold else 1.0)


def _advance(character: str) -> int:
    place = ord(character) - _FIRST
    if 0 <= place < len(_ASCII):
        return _ASCII[place]
    if unicodedata.combining(character):
        return 0
    return _WIDE if unicodedata.east_asian_width(character) in "WF" else _OTHER


def fit(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, or as much of its beginning as has room, with an ellipsis."""
    if width(text, size, bold=bold) <= room:
        return text
    kept = text
    while kept and width(kept.rstrip() + ELLIPSIS, size, bold=bold) > room:
        kept = kept[:-1]
    return kept.rstrip() + ELLIPSIS


def wrap(text: str, room: float, size: float, *, most: int, bold: bool = False) -> list[str]:
    """The text in at most `most` lines; a word longer than a line is cut where the line ends."""
    lines: list[str] = []
    rest = text.split()
    while rest and len(lines) < most:
        line = rest.pop(0)
        while rest and width(f"{line} {rest[0]}", size, bold=bold) <= room:
            line = f"{line} {rest.pop(0)}"
        if len(lines) == most - 1 and rest:
            line = f"{line} {' '.join(rest)}"
        cut = fit(line, room, size, bold=bold)
        if cut != line and len(lines) < most - 1:  # the rest of a long word has lines left
            kept = cut.removesuffix(ELLIPSIS)
            rest.insert(0, line[len(kept) :].lstrip())
            cut = kept
        lines.append(cut)
    return lines

"""What differs between two texts, word by word, as HTML."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from html import escape

_MOST_WORDS = 400
_WORD = re.compile(r"([\u3040-\u30ff\u3400-\u9fff]|\w+(?:['\u2019]\w+)*|[^\w\s])(\s*)")


def mark_words(base: str | None, tuned: str | None) -> tuple[str, str]:
    """Both texts as HTML, with the words only the one has in <del> and only the other in <ins>."""
    if base is None or tuned is None or base == tuned:
        return _plain(base), _plain(tuned)
    old, new = _words(base), _words(tuned)
    matcher = SequenceMatcher(
        None, [word for word, _ in old], [word for word, _ in new], autojunk=False
    )
    dropped, added = set[int](), set[int]()
    for what, i, j, k, n in matcher.get_opcodes():
        if what != "equal":
            dropped.update(range(i, j))
            added.update(range(k, n))
    return _marked(old, dropped, "del"), _marked(new, added, "ins")


def _plain(value: str | None) -> str:
    return escape(value) if value is not None else ""


def _words(value: str) -> list[tuple[str, str]]:
    """Words, signs and CJK characters with the space after each.

    Beyond the limit one last "word" holds the rest.
    """
    found = _WORD.findall(value)
    if len(found) <= _MOST_WORDS:
        return found
    rest = "".join(word + space for word, space in found[_MOST_WORDS:])
    return [*found[:_MOST_WORDS], (rest, "")]


def _marked(words: Sequence[tuple[str, str]], marked: set[int], name: str) -> str:
    """Neighbours that are marked share one tag; the space at its end stays outside."""
    parts: list[str] = []
    index = 0
    while index < len(words):
        end = index
        while end in marked and end + 1 in marked:
            end += 1
        run = words[index : end + 1]
        inner = "".join(word + space for word, space in run[:-1]) + run[-1][0]
        html = escape(inner)
        parts.append((f"<{name}>{html}</{name}>" if index in marked else html) + escape(run[-1][1]))
        index = end + 1
    return "".join(parts)

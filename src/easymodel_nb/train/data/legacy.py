"""Which encoding from before Unicode a text is in, by two maintained detectors."""

import codecs
from typing import Any

# What files are written in that are not Unicode. More would only add ways to be wrong.
_KNOWN = [
    "cp1252", "cp1250", "cp1251", "koi8_r", "cp1253", "cp1254", "cp1255", "cp1256", "cp874",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_CLOSE = 0.03  # two readings that differ less in mess are as good as each other
_LANGUAGE = 0.05  # the same, for how much they look like a language
_CONFIDENT = 0.2
_KANA = 0.1
_ASCII = 0x7F
_HARDLY_ANY = 3  # bytes, too few to tell a language
# Letters that Turkish ones are read as in cp1252; Icelandic has them among the others.
_TURKISH, _ICELANDIC = frozenset("ðþý"), frozenset("áéíóúæ")
_WESTERN = "it is not UTF-8; this is what Windows wrote in Western Europe"
_MAC = "it is not UTF-8 and its lines end as on a Mac"
_EASTERN = frozenset(("cp1251", "koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949"))
Found = tuple[str | None, str, bool]


def legacy_encoding(sample: bytes) -> Found:
    """The encoding, why, and whether another one is hardly possible.

    None where no encoding fits. `sample` is the lines that are not ASCII.
    """
    from charset_normalizer import from_bytes  # noqa: PLC0415

    if sum(byte > _ASCII for byte in sample) <= _HARDLY_ANY and _fits(sample, "cp1252"):
        return "cp1252", _WESTERN, False
    found = list(from_bytes(sample, cp_isolation=_KNOWN, threshold=0.5))
    best: Found = _best(sample, found) if found else (None, "", False)
    mac = b"\r" in sample and b"\n" not in sample
    return best if not mac or best[0] in _EASTERN else ("mac_roman", _MAC, False)


def _best(sample: bytes, found: list[Any]) -> Found:
    """The best reading; where several are as good, what speaks for one of them."""
    best = found[0]
    near = [m for m in found if m.chaos - best.chaos <= _CLOSE]
    kana = [m for m in near if m.encoding in {"cp932", "euc_jp"} and _kana(str(m)) > _KANA]
    if kana:
        return kana[0].encoding, "it reads as Japanese", True
    languages = [m for m in near if m.coherence >= best.coherence - _LANGUAGE]
    if any("cp1252" in (m.encoding, *m.could_be_from_charset) for m in languages):
        return _western(sample, sure=len(languages) == 1 or best.coherence > 0)
    if best.coherence == 0 and len(near) > 1 and (named := _second_opinion(sample, near)):
        return named, "it reads best in it", False
    language = best.language if best.language not in {"", "Unknown"} else ""
    why = f"it reads as {language} in it" if language else "it reads best in it"
    return best.encoding, why, best.coherence > 0


def _western(sample: bytes, *, sure: bool) -> Found:
    letters = set(sample.decode("cp1252", "ignore").lower())
    if letters & _TURKISH and not letters & _ICELANDIC:
        return "cp1254", "it reads as Turkish in it", sure
    return "cp1252", _WESTERN, sure


def _second_opinion(sample: bytes, near: list[Any]) -> str | None:
    """What the other detector says, if it is one of the readings that are left."""
    import chardet  # noqa: PLC0415

    told = chardet.detect(sample)
    try:
        name = codecs.lookup(told["encoding"] or "").name.replace("-", "_")
    except LookupError:
        return None
    names = {n for m in near for n in (m.encoding, *m.could_be_from_charset)}
    return name if name in names and (told["confidence"] or 0) >= _CONFIDENT else None


def _fits(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _kana(text: str) -> float:
    letters = [c for c in text if ord(c) > _ASCII]
    return sum("\u3040" <= c <= "\u30ff" for c in letters) / max(1, len(letters))

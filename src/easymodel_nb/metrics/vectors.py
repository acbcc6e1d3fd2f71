"""Vectors of texts of any length: long ones by their sentences, each text embedded once.

An encoder reads a few hundred wordpieces and silently drops the rest. So what is too long is
embedded sentence by sentence (by halves where a sentence is itself too long), and its vector is
the mean of theirs, weighted by their characters, of length 1 again. A text of white space says
nothing: its vector is 0, whose cosine with every other is 0.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.metrics.text import sentences

Floats = NDArray[np.float64]

READ = 254  # wordpieces that MiniLM reads between its two specials
_READ_CHARACTERS = 1000  # about as many, where an encoder does not tell its wordpieces
_SMALLEST = 2  # characters that can be halved
_REMEMBERED = 20_000  # vectors; at 384 numbers 60 MB


class Vectors:
    """Embeds texts with one encoder and remembers them, so that the same text is the same vector.

    The encoder is one of `judges`, a sentence-transformers model, or a function from a list of
    texts to an array (texts, numbers).
    """

    def __init__(self, encoder: Any) -> None:
        self._encoder = encoder
        self._known: dict[str, Floats] = {}

    @property
    def judge(self) -> str | None:
        """The encoder's name and hash, if it tells them."""
        identity = getattr(self._encoder, "identity", None)
        return None if identity is None else str(identity)

    def unknown_share(self, text: str) -> float:
        """Share of a text's wordpieces that the encoder does not know; 0 if it does not tell."""
        tell = getattr(self._encoder, "unknown_share", None)
        return 0.0 if tell is None else float(tell(text))

    def __call__(self, texts: Sequence[str]) -> Floats:
        """Vectors (texts, numbers) of length 1, or 0 for an empty text, or with what is not finite.

        Whatever the encoder raises is passed on.
        """
        asked = dict.fromkeys(texts)
        if len(self._known) > _REMEMBERED:  # those of early epochs are not asked for again
            self._known = {text: self._known[text] for text in asked if text in self._known}
        self._embed([text for text in asked if text not in self._known])
        return np.stack([self._known[text] for text in texts]) if texts else np.zeros((0, 1))

    def _embed(self, texts: Sequence[str]) -> None:
        told = [text for text in texts if text.strip()]
        if told:
            pieces = self._pieces(told)
            found = self._encode([piece for some in pieces for piece in some])
            place = 0
            for text, some in zip(told, pieces, strict=True):
                part = _unit(found[place : place + len(some)])
                weights = np.array([len(piece) for piece in some], dtype=np.float64)
                self._known[text] = _unit((weights @ part)[None])[0] if len(some) > 1 else part[0]
                place += len(some)
        empty = [text for text in texts if not text.strip()]
        if empty and not self._known:
            self._known[""] = np.zeros_like(_unit(self._encode(["a"]))[0])
        width = len(next(iter(self._known.values()), ()))
        self._known |= dict.fromkeys(empty, np.zeros(width))

    def _encode(self, texts: Sequence[str]) -> Floats:
        for name in ("sentences", "encode"):
            method = getattr(self._encoder, name, None)
            if method is not None:
                return np.asarray(method(list(texts)), dtype=np.float64)
        return np.asarray(self._encoder(list(texts)), dtype=np.float64)

    def _pieces(self, texts: Sequence[str]) -> list[list[str]]:
        """Each text in pieces that the encoder reads whole."""
        done: list[list[str]] = [[text] for text in texts]
        split: Callable[[str], list[str]] = sentences
        while True:
            known = list(dict.fromkeys(piece for some in done for piece in some))
            long = {p for p, over in zip(known, self._too_long(known), strict=True) if over}
            long = {piece for piece in long if len(piece) >= _SMALLEST}
            if not long:
                return done
            done = [
                [part for piece in some for part in (split(piece) if piece in long else [piece])]
                for some in done
            ]
            split = halves

    def _too_long(self, texts: Sequence[str]) -> Iterable[bool]:
        tokens = getattr(self._encoder, "tokens", None)
        if tokens is None:
            return [len(text) > _READ_CHARACTERS for text in texts]
        return [len(vectors) >= READ for vectors in tokens(list(texts))]


def halves(text: str) -> list[str]:
    """The text in two, at the white space nearest to its middle, else in its middle."""
    middle = len(text) // 2
    spaces = [place for place, sign in enumerate(text) if sign.isspace() and place > 0]
    cut = min(spaces, key=lambda place: abs(place - middle), default=middle)
    parts = [text[:cut].strip(), text[cut:].strip()]
    return parts if all(parts) else [text[:middle], text[middle:]]


def cosines(left: Floats, right: Floats) -> Floats:
    """Cosines row by row, -1 to 1; exactly 1 where both rows are the same, and not 0."""
    found: Floats = np.clip((left * right).sum(axis=1), -1.0, 1.0)
    same = (left == right).all(axis=1) & left.any(axis=1)
    return np.where(same, 1.0, found)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.where(lengths > 0, lengths, 1.0)
    return scaled

"""Training windows of texts: each target is learned once, none is cut."""

from collections.abc import Sequence
from typing import overload

import numpy as np

from easymodel_nb.metrics.perplexity import IGNORED, Encoded
from easymodel_nb.train.tasks.figures import Counts
from easymodel_nb.train.tasks.task import Example


class Windows(Sequence[Example]):
    """Windows of at most `max_length` tokens, made when they are asked for.

    The windows of a text overlap by one token, which is context in the later one. A window
    in which nothing is learned is left out.
    """

    def __init__(self, texts: Sequence[Encoded], max_length: int) -> None:
        self._texts = texts
        self._max_length = max_length
        found = [
            (index, start)
            for index, text in enumerate(texts)
            for start in range(0, max(1, len(text.ids) - 1), max(1, max_length - 1))
            if any(text.scored[start + 1 : start + max_length])  # the first one has no context
        ]
        self._places = np.array(found, dtype=np.int64).reshape(-1, 2)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Example: ...
    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...
    def __getitem__(self, index: int | slice) -> Example | list[Example]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        which, start = map(int, self._places[index])
        text = self._texts[which]
        ids = text.ids[start : start + self._max_length]
        scored = text.scored[start : start + self._max_length]
        labels = [token if learn else IGNORED for token, learn in zip(ids, scored, strict=True)]
        labels[0] = IGNORED  # nothing precedes it
        return Example(ids, labels)

    def tokens(self, sizes: Counts) -> int:
        """Tokens of all windows together; `sizes` are those of the texts, (texts,)."""
        left = sizes[self._places[:, 0]] - self._places[:, 1]
        return int(np.minimum(left, self._max_length).sum())

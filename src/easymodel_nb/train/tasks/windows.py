"""Training windows of texts: each target is learned once, none is cut."""

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from easymodel_nb.metrics.perplexity import IGNORED, Encoded
from easymodel_nb.train.cache import Rows
from easymodel_nb.train.tasks.figures import Counts
from easymodel_nb.train.tasks.task import Example

_Places = npt.NDArray[np.int64]


class Windows(Sequence[Example]):
    """Windows of at most `max_length` tokens, made when they are asked for.

    The windows of a text overlap by one token, which is context in the later one. A window
    in which nothing is learned is left out.
    """

    def __init__(self, texts: Sequence[Encoded], max_length: int) -> None:
        self._texts = texts
        self._max_length = max_length
        places, lengths, before = [np.zeros((0, 2), dtype=np.int64)], list[_Places](), 0
        for sizes, scored in _columns(texts):
            found = _windows(sizes, scored, max_length)
            lengths.append(np.minimum(sizes[found[:, 0]] - found[:, 1], max_length))
            places.append(found + np.array([before, 0]))
            before += len(sizes)
        self._places = np.concatenate(places)
        self._lengths = np.concatenate(lengths) if lengths else np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._places)

    @property
    def lengths(self) -> list[int]:
        """Tokens of each window; none of them is made for it."""
        found: list[int] = self._lengths.tolist()
        return found

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

    def token_ids(self) -> Iterator[_Places]:
        """The tokens of all texts, many at once; of a table no text is made."""
        if isinstance(self._texts, Rows):
            for batch in self._texts.batches:
                yield batch.column("ids").flatten().to_numpy(zero_copy_only=False)
        else:
            yield from (np.asarray(text.ids, dtype=np.int64) for text in self._texts)

    def tokens(self, sizes: Counts) -> int:
        """Tokens of all windows together; `sizes` are those of the texts, (texts,)."""
        left = sizes[self._places[:, 0]] - self._places[:, 1]
        return int(np.minimum(left, self._max_length).sum())


def _windows(sizes: _Places, scored: npt.NDArray[Any], max_length: int) -> _Places:
    """Text and start of each window in which something is learned, (windows, 2).

    `sizes` (texts,) are tokens; `scored` (tokens of all texts,) says which of them are targets.
    """
    step = max(1, max_length - 1)
    counts = np.maximum(
        1, -(-(sizes - 1) // step)
    )  # the last token is the target of the one before
    which = np.repeat(np.arange(len(sizes)), counts)
    starts = (np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)) * step
    running = np.concatenate([[0], np.cumsum(scored)])
    text, size = (np.cumsum(sizes) - sizes)[which], sizes[which]
    first, end = np.minimum(starts + 1, size), np.minimum(starts + max_length, size)
    learned = running[text + end] > running[text + first]  # the first one has no context
    found: _Places = np.stack([which, starts], axis=1)[learned]
    return found


def _columns(texts: Sequence[Encoded]) -> Iterator[tuple[_Places, npt.NDArray[Any]]]:
    """Tokens of each text and the marks of all, chunk by chunk; of a table no text is made."""
    if isinstance(texts, Rows):
        for batch in texts.batches:
            marks = batch.column("scored")
            bounds = marks.offsets.to_numpy()
            values = marks.values.slice(int(bounds[0]), int(bounds[-1] - bounds[0]))
            yield np.diff(bounds).astype(np.int64), values.to_numpy(zero_copy_only=False)
    elif texts:
        sizes = np.array([len(text.ids) for text in texts], dtype=np.int64)
        yield sizes, np.concatenate([np.asarray(text.scored, dtype=bool) for text in texts])

"""The raw numbers that quality is made of, text by text: what judges say, before any scale.

NaN is a number that a text does not have (the order of one sentence); infinity one that it should
have and a judge could not give. What was read of a text is kept, so that the same text under the
same prompt has the same numbers in every epoch, whatever it was batched with.
"""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from easymodel_nb.metrics import coherence, fluency, grammar
from easymodel_nb.metrics.judges import Judges, LanguageModel
from easymodel_nb.metrics.pairs import Measure
from easymodel_nb.metrics.relevance import Meaning, Words
from easymodel_nb.metrics.scales import Floats
from easymodel_nb.metrics.text import (
    ENGLISH,
    NOT_LATIN,
    Text,
    copied_share,
    english_share,
    last_line,
    parses,
)
from easymodel_nb.metrics.vectors import Vectors

Bools = NDArray[np.bool_]

NUMBERS = {  # and the axes that need them
    "rep2": ("fluency", "coherence"),
    "slor": ("fluency", "coherence"),
    "parses": ("fluency",),
    "probability": ("grammar",),
    "order": ("coherence",),
    "gain": ("coherence",),
    "support": ("coherence",),
    "forward": ("coherence",),
    "recall": ("relevance",),
    "prompt": ("relevance",),
    "copied": ("relevance",),
}
FLAGS = ("empty", "short", "one_sentence", "not_english", "code")
WHOLE, LAST, GAIN = "the cosine", "the cosine to its last line", "the scorer's gain"
UNKNOWN = 0.1  # share of wordpieces that the encoder does not know, above which it cannot read


class Scorer(Protocol):
    """A causal scorer: how much likelier, by token, a context makes what follows it."""

    @property
    def identity(self) -> Any:
        """Which model this is."""
        ...

    def prompt_gain(self, prompts: Sequence[str], texts: Sequence[str]) -> np.ndarray:
        """By the prompts: (n,)."""
        ...

    def next_sentence_gain(self, texts: Sequence[Sequence[str]]) -> np.ndarray:
        """By the sentences before, mean over the sentences of each text: (n,)."""
        ...


@dataclass(frozen=True)
class Item:
    """What one answer is read against."""

    prompt: Text | None = None
    references: tuple[Text, ...] = ()
    source: Text | None = None  # of enough sentences to be one


@dataclass(frozen=True)
class Readings:
    """Numbers and flags of n texts, each (n,)."""

    numbers: Mapping[str, Floats]
    flags: Mapping[str, Bools]

    def __len__(self) -> int:
        return len(self.flags["empty"])

    def __getitem__(self, name: str) -> Floats:
        """A number of each text; NaN also where a judge gave none."""
        values = self.numbers[name]
        return np.where(np.isinf(values), np.nan, values)

    def bad(self, axis: str) -> Bools:
        """Texts that a judge of this axis could not score."""
        needed = [name for name, axes in NUMBERS.items() if axis in axes]
        found: Bools = np.any([np.isinf(self.numbers[name]) for name in needed], axis=0)
        return found

    def chosen(self, which: Any) -> "Readings":
        """Those of some of the texts."""
        return Readings(
            {name: values[which] for name, values in self.numbers.items()},
            {name: values[which] for name, values in self.flags.items()},
        )


@dataclass
class Reader:
    """Reads texts with frozen judges; `failed` tells what went wrong, by axis."""

    judges: Judges
    model: LanguageModel | None = None
    scorer: Scorer | None = None
    english: bool = True  # whether the data set reads like English
    python: bool = False  # whether it is Python code
    way: str = WHOLE  # how answers are compared with their prompts, one of `ways()`
    tail: int = 0  # lines that all prompts end with
    failed: dict[str, str] = field(default_factory=dict)
    _kept: dict[tuple[Any, ...], list[float]] = field(default_factory=dict)
    _gains: dict[tuple[str, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        encoder = self.judges.encoder
        self.vectors = None if encoder is None else Vectors(encoder)
        self.likeness = (
            Words() if encoder is None or self.vectors is None else Meaning(encoder, self.vectors)
        )

    def read(self, items: Sequence[Item], raw: Sequence[str], *, own: bool = False) -> Readings:
        """Readings of one text an item; `own`: they are the references, read without themselves."""
        self.failed = {}
        keys = [
            (own, text, item.prompt, item.references, item.source)
            for item, text in zip(items, raw, strict=True)
        ]
        new = {key: item for key, item in zip(keys, items, strict=True) if key not in self._kept}
        texts = [Text.of(key[1]) for key in new]
        found = self._read(list(new.values()), texts, own=own)
        rows = dict(zip(new, np.stack(list(found.values()), axis=1).tolist(), strict=True))
        if not self.failed:  # what went wrong once is tried again
            self._kept |= rows
        table = np.array([rows.get(key) or self._kept[key] for key in keys]).reshape(
            len(keys), len(found)
        )
        columns = dict(zip(found, table.T, strict=True))
        return Readings(
            {name: columns[name] for name in NUMBERS},
            {name: columns[name] > 0 for name in FLAGS},
        )

    def _read(self, items: list[Item], texts: list[Text], *, own: bool) -> dict[str, Floats]:
        sheet = _Sheet(items, texts, self._flags(texts), self.failed)
        self._words(sheet)
        self._sentences(sheet)
        self._answers(sheet, own=own)
        flags = {name: values.astype(np.float64) for name, values in sheet.flags.items()}
        return {**sheet.numbers, **flags}

    def _flags(self, texts: list[Text]) -> dict[str, Bools]:
        def flag(test: Callable[[Text], bool]) -> Bools:
            return np.array([not text.empty and test(text) for text in texts], dtype=bool)

        return {
            "empty": np.array([text.empty for text in texts], dtype=bool),
            "short": flag(lambda text: text.short),
            "one_sentence": flag(lambda text: len(text.sentences) == 1),
            "not_english": flag(self._foreign),
            "code": flag(lambda text: text.code),
        }

    def _foreign(self, text: Text) -> bool:
        if not self.english or text.not_latin > NOT_LATIN or text.foreign:
            return True
        if (encoder := self.judges.encoder) is None:
            return False
        with contextlib.suppress(Exception):  # what fails here fails again where it is told
            return encoder.unknown_share(text.raw) > UNKNOWN
        return False

    def _words(self, sheet: "_Sheet") -> None:
        """What fluency and grammar are made of."""
        flags, some = sheet.flags, ~sheet.flags["empty"]
        long = some & ~flags["short"]
        sheet.fill("rep2", some, lambda at: [sheet.texts[i].rep2 for i in at])
        if (model := self.model) is not None:
            sheet.fill("slor", long, lambda at: fluency.worst_slor(sheet.chosen(at), model))
        if self.python:
            sheet.fill("parses", some, lambda at: [parses(sheet.texts[i].raw) for i in at])
        if (judge := self.judges.grammar) is not None:
            english = long & ~flags["not_english"] & ~flags["code"]
            sheet.fill(
                "probability", english, lambda at: grammar.mean_probability(sheet.chosen(at), judge)
            )

    def _sentences(self, sheet: "_Sheet") -> None:
        """What coherence is made of."""
        flags, items, texts = sheet.flags, sheet.items, sheet.texts
        prose = ~(flags["empty"] | flags["one_sentence"] | flags["code"])
        sourced = np.array([item.source is not None for item in items], dtype=bool)
        if (scorer := self.scorer) is not None:
            parts = [text.sentences for text in texts]
            sheet.fill(
                "gain",
                prose & ~sourced,
                lambda at: scorer.next_sentence_gain([parts[i] for i in at]),
            )
        if (vectors := self.vectors) is None:
            return
        pairs: dict[int, tuple[float, float]] = {}

        def order(at: list[int]) -> list[float]:
            vectors([s for i in at for s in texts[i].sentences])  # all at once: in few batches
            return [coherence.order_gain(vectors(texts[i].sentences)) for i in at]

        def support(at: list[int]) -> list[float]:
            sources = {i: source for i in at if (source := items[i].source) is not None}
            vectors([s for i in at for text in (texts[i], sources[i]) for s in text.sentences])
            for i in at:
                one, other = vectors(texts[i].sentences), vectors(sources[i].sentences)
                pairs[i] = coherence.source_support(one, other)
            return [pairs[i][0] for i in at]

        ordered = np.array([len(text.sentences) >= coherence.ORDERED for text in texts], dtype=bool)
        sheet.fill("order", prose & ~sourced & ordered, order)
        sheet.fill("support", prose & sourced, support)
        if pairs:
            sheet.fill("forward", prose & sourced, lambda at: [pairs[i][1] for i in at])

    def _answers(self, sheet: "_Sheet", *, own: bool) -> None:
        """What relevance is made of."""
        some, items = ~sheet.flags["empty"], sheet.items
        prompts = [item.prompt or Text("") for item in items]
        asked = some & np.array([not prompt.empty for prompt in prompts], dtype=bool)
        answered = some & np.array([bool(item.references) for item in items], dtype=bool)
        near = self.ways()[self.way]
        sheet.fill("prompt", asked, lambda at: near(sheet.chosen(at), [prompts[i] for i in at]))
        sheet.fill(
            "copied",
            asked,
            lambda at: [copied_share(sheet.texts[i].words, prompts[i].words) for i in at],
        )
        if not own:
            recall = self._recall
            sheet.fill(
                "recall", answered, lambda at: recall(sheet.chosen(at), [items[i] for i in at])
            )

    def ways(self) -> dict[str, Measure]:
        """How answers can be compared with their prompts, the simplest first."""

        def last(texts: Sequence[Text], prompts: Sequence[Text]) -> Floats:
            ends = [Text(last_line(prompt.raw, self.tail)) for prompt in prompts]
            return self.likeness.cosine(texts, ends)

        found: dict[str, Measure] = {WHOLE: self.likeness.cosine, LAST: last}
        if self.scorer is not None:
            found[GAIN] = self.gains
        return found

    def gains(self, texts: Sequence[Text], prompts: Sequence[Text]) -> Floats:
        """(log p(text | prompt) - log p(text)) / tokens by the causal scorer: (n,)."""
        if (scorer := self.scorer) is None:
            return np.full(len(texts), np.nan)
        pairs = [(prompt.raw, text.raw) for prompt, text in zip(prompts, texts, strict=True)]
        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._gains]
        found = scorer.prompt_gain([prompt for prompt, _ in new], [text for _, text in new])
        self._gains |= dict(zip(new, np.asarray(found, dtype=np.float64).tolist(), strict=True))
        return np.array([self._gains[pair] for pair in pairs])

    def _recall(self, texts: list[Text], items: list[Item]) -> Floats:
        pairs = [(t, r) for t, item in zip(texts, items, strict=True) for r in item.references]
        found = self.likeness.recall([t for t, _ in pairs], [r for _, r in pairs])
        ends = np.cumsum([len(item.references) for item in items])
        return np.array([part.max() for part in np.split(found, ends[:-1])])


@dataclass
class _Sheet:
    """The numbers of some texts, while they are read."""

    items: list[Item]
    texts: list[Text]
    flags: dict[str, Bools]
    failed: dict[str, str]
    numbers: dict[str, Floats] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.numbers = {name: np.full(len(self.texts), np.nan) for name in NUMBERS}

    def chosen(self, indices: list[int]) -> list[Text]:
        return [self.texts[index] for index in indices]

    def fill(self, name: str, which: Bools, work: Callable[[list[int]], Any]) -> None:
        """Set a number of some texts; a judge that fails costs its axes only."""
        indices = np.flatnonzero(which).tolist()
        if not indices:
            return
        try:
            found = np.asarray(work(indices), dtype=np.float64)
        except Exception as error:  # noqa: BLE001  whatever it is, the other axes stand
            for axis in NUMBERS[name]:
                self.failed.setdefault(axis, failure(axis, error))
            return
        self.numbers[name][indices] = np.where(np.isfinite(found), found, np.inf)


def failure(axis: str, error: Exception) -> str:
    """Why an axis has no value, when its judge raised an error."""
    return f"The judge of {axis} failed ({type(error).__name__}: {error})."


def reads_english(texts: Sequence[Text]) -> bool:
    """Whether texts together read like English, or are too few to tell."""
    share = english_share([text.raw for text in texts])
    return share is None or share >= ENGLISH

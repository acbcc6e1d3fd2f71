"""What answers are judged by, fixed for a run: prompts, references, the texts of a language."""

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from easymodel_nb import whole
from easymodel_nb.train.analytics.groups import Groups, by_length

FILE = "material.json.gz"  # in a run's folder, for a judge that comes later
FIT_CHARACTERS = 1_500_000  # of training targets that the language model is fitted on


NO_GROUPS = Groups("", [])


@dataclass(frozen=True)
class Material:
    """Prompts with what belongs to each, in the order of their indices."""

    prompts: list[str]
    references: list[str]
    sources: list[str] | None  # what is summarised or translated, without a prefix
    fit_texts: list[str] = field(repr=False)
    reference_tokens: list[int] = field(repr=False)
    groups: Groups = NO_GROUPS
    summaries: bool = False
    max_new_tokens: int | None = None
    seed: int = 0
    several: list[list[str]] | None = None  # every reference, where a prompt has more than one

    def first(self, count: int) -> "Material":
        """Of the first prompts alone; quarters by length are made anew."""
        lengths = self.reference_tokens[:count]
        named = Groups(self.groups.name, self.groups.of[:count])
        return Material(
            self.prompts[:count],
            self.references[:count],
            None if self.sources is None else self.sources[:count],
            self.fit_texts,
            lengths,
            named if named.of else by_length(lengths),
            self.summaries,
            self.max_new_tokens,
            self.seed,
            None if self.several is None else self.several[:count],
        )

    def write(self, folder: Path) -> None:
        """Keep it for a judge that comes later."""
        told = {**vars(self), "groups": {"name": self.groups.name, "of": self.groups.of}}
        text = json.dumps(told, ensure_ascii=False)
        whole.replace(folder / FILE, gzip.compress(text.encode()))

    @classmethod
    def read(cls, folder: Path) -> "Material | None":
        """What a run kept; None where it kept nothing."""
        try:
            with gzip.open(folder / FILE, "rt", encoding="utf-8") as file:
                told: dict[str, Any] = json.load(file)
        except (OSError, EOFError, ValueError):
            return None
        return cls(**{**told, "groups": Groups(**told["groups"])})


def fitting(texts: Sequence[str]) -> list[str]:
    """As many of the texts as the language model is fitted on, spread over all of them."""
    total = sum(map(len, texts))
    if total <= FIT_CHARACTERS:
        return list(texts)
    every = total / FIT_CHARACTERS
    return [texts[int(n * every)] for n in range(int(len(texts) / every))]


def token_counts(tokenizer: Any, texts: Sequence[str]) -> list[int]:
    """Tokens of each text, without special ones."""
    if not texts:
        return []
    batch = tokenizer(text_target=list(texts), add_special_tokens=False, verbose=False)
    return [len(ids) for ids in batch["input_ids"]]

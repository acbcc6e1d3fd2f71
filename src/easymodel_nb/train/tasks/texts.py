"""Rows of plain text, or of a prompt and the target that follows it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from easymodel_nb.metrics.perplexity import Encoded, encode
from easymodel_nb.train.roles import Roles, prompt_and_target
from easymodel_nb.train.tasks.task import Sample
from easymodel_nb.train.usable import role_table

Pair = tuple[str | None, str]  # what is read, what is learned
_OPENING = 32  # tokens of a plain text that serve as its prompt


class TextRows:
    """The texts that the roles give, as a causal language model reads them."""

    def __init__(self, tokenizer: Any, roles: Roles, max_length: int) -> None:
        self._tokenizer = tokenizer
        self._roles = roles
        self._max_length = max_length
        self.dropped: dict[str, int] = {}
        self.places: list[int] = []  # the rows of the last table that were read

    def read(self, table: pa.Table) -> list[Pair]:
        """The rows with a value for each role."""
        rows = role_table(table, self._roles.columns).to_pylist()
        found = ((place, prompt_and_target(row, self._roles)) for place, row in enumerate(rows))
        kept = [(place, pair) for place, pair in found if pair is not None]
        self.places, pairs = [place for place, _ in kept], [pair for _, pair in kept]
        if len(pairs) < len(rows):
            why = "have an empty field"
            self.dropped[why] = self.dropped.get(why, 0) + len(rows) - len(pairs)
        return pairs

    def target(self, pair: Pair) -> str:
        """What is learned of a row."""
        return pair[1]

    def encode(self, pairs: Sequence[Pair]) -> list[list[Encoded]]:
        """Ids of each row, one text each; only the text, or the target, is marked."""
        return [[text] for text in self._encode(pairs, self._max_length)]

    def whole(self, pair: Pair) -> list[Encoded]:
        """The text of one row before anything is cut."""
        return self._encode([pair], None)

    def _encode(self, pairs: Sequence[Pair], max_length: int | None) -> list[Encoded]:
        prompts = None if pairs[0][0] is None else [prompt or "" for prompt, _ in pairs]
        return encode(
            self._tokenizer,
            [text for _, text in pairs],
            prompts=prompts,
            max_length=max_length,
            eos=True,
        )

    def sample(self, pair: Pair, room: int) -> Sample:
        """The prompt and its target; of a plain text, its opening and how it goes on."""
        prompt, text = pair
        tokenizer = self._tokenizer
        if prompt is None:
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            opening = min(_OPENING, max(1, len(ids) // 2))
            rest = ids[opening : opening + max(1, self._max_length - room)]
            prompt, text = tokenizer.decode(ids[:opening]), tokenizer.decode(rest)
        ids = tokenizer(prompt)["input_ids"] if prompt else []
        if ids and ids[-1] == tokenizer.eos_token_id:  # some tokenizers end every text
            ids = ids[:-1]
        return Sample(prompt, text, ids[-room:])

"""Rows of classification: a text or a pair of texts, and its class, as the model reads them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from easymodel_nb.train import roles as columns
from easymodel_nb.train.roles import Roles

# Segments (token_type_ids) are null where the tokenizer gives none.
SCHEMA = pa.schema(
    [
        ("ids", pa.list_(pa.int32())),
        ("types", pa.list_(pa.int8())),
        ("cut", pa.bool_()),
        ("whole", pa.int64()),  # tokens before anything was cut
    ]
)
_GAP = "\n\n"
_CHARACTERS = 64  # a token, more than any has on average: what comes after is cut in any case


@dataclass(frozen=True)
class Text:
    """One row as it is learned: token ids, segments, and its class or labels (0 and 1)."""

    ids: list[int]
    types: list[int] | None
    label: int | list[float]

    def __len__(self) -> int:
        """Tokens of the text."""
        return len(self.ids)


@dataclass(frozen=True)
class Row:
    """One row as it was brought, with the number of its class or those of its labels."""

    text: str
    pair: str | None
    label: int | list[int]

    @property
    def texts(self) -> list[str]:
        """The text, or both of them."""
        return [self.text] if self.pair is None else [self.text, self.pair]

    @property
    def shown(self) -> str:
        """The text for people."""
        return self.text if self.pair is None else f"{self.text}{_GAP}{self.pair}"


def read(
    table: pa.Table, roles: Roles, label_of: Callable[[Any], int | list[int] | None]
) -> tuple[list[Row], list[int]]:
    """The rows that have every text and a label, and where in the table they are."""
    cells = columns.column_at(table, str(roles.label)).to_pylist()
    texts = columns.column_at(table, str(roles.text)).to_pylist()
    pairs = columns.column_at(table, roles.text_pair).to_pylist() if roles.text_pair else None
    found, places = [], []
    for place, cell in enumerate(cells):
        label, text = label_of(cell), columns.as_text(texts[place])
        pair = columns.as_text(pairs[place]) if pairs else None
        if label is not None and text is not None and (pairs is None or pair is not None):
            found.append(Row(text, pair, label))
            places.append(place)
    return found, places


def encode(
    tokenizer: Any, texts: Sequence[Sequence[str]], *, limit: int, filler: int
) -> pa.RecordBatch:
    """Texts (or pairs of them) as token ids; what is longer than `limit` loses its end.

    Of a pair the longer one is cut first. A text of which the tokenizer keeps nothing is one
    `filler`.
    """
    tokenizer.truncation_side = "right"
    # Without special tokens between them, nothing would part the two texts.
    gap = "" if tokenizer.num_special_tokens_to_add(pair=True) else _GAP

    most = limit * _CHARACTERS
    beyond = [sum(_tokens(tokenizer, part[most:], most) for part in text) for text in texts]
    texts = [[part[:most] for part in text] for text in texts]

    def tokenise(chosen: Sequence[Sequence[str]], **options: Any) -> tuple[Any, Any]:
        firsts = [text[0] for text in chosen]
        seconds = [f"{gap}{text[1]}" for text in chosen] if len(chosen[0]) > 1 else None
        batch = tokenizer(firsts, seconds, verbose=False, **options)
        return batch["input_ids"], batch.get("token_type_ids") or [None] * len(chosen)

    ids, types = tokenise(texts)
    whole = [len(row) + more for row, more in zip(ids, beyond, strict=True)]
    cut = [len(row) > limit for row in ids]
    if any(cut):
        places = [place for place, over in enumerate(cut) if over]
        shorter = tokenise([texts[p] for p in places], truncation=True, max_length=limit)
        for place, row, kinds in zip(places, *shorter, strict=True):
            ids[place], types[place] = row, kinds
    cut = [over or more > 0 for over, more in zip(cut, beyond, strict=True)]
    filled = [row or [filler] for row in ids]
    kept = [kinds or None for kinds in types]
    return pa.RecordBatch.from_arrays(
        [
            pa.array(column, field.type)
            for column, field in zip((filled, kept, cut, whole), SCHEMA, strict=True)
        ],
        schema=SCHEMA,
    )


def _tokens(tokenizer: Any, text: str, most: int) -> int:
    """Tokens of a text of any length, at most `most` characters at once, without special ones."""
    pieces = [text[start : start + most] for start in range(0, len(text), most)]
    if not pieces:
        return 0
    ids = tokenizer(pieces, None, add_special_tokens=False, verbose=False)["input_ids"]
    return sum(map(len, ids))

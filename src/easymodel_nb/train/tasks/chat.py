"""Rows of conversations: normalised, checked, fitted to the model's length, and encoded."""

import bisect
import itertools
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from easymodel_nb.metrics.perplexity import Encoded
from easymodel_nb.train.roles import turns as read_turns
from easymodel_nb.train.roles import value_at
from easymodel_nb.train.tasks.chat_template import Renderer, Turn, Unrenderable
from easymodel_nb.train.tasks.task import Sample
from easymodel_nb.train.usable import role_table

_CALLS = ("tool_calls", "function_call", "tool_call_id")


class ChatRows:
    """The conversations of one column, as a model with a chat template reads them."""

    def __init__(self, tokenizer: Any, column: str, max_length: int) -> None:
        self._tokenizer = tokenizer
        self._column = column
        self._max_length = max_length
        self._renderer = Renderer(tokenizer)
        self.dropped: Counter[str] = Counter()  # conversations by why they are left out
        self.places: list[int] = []  # the rows of the last table that were read

    @property
    def joins_system(self) -> bool:
        """Whether the template knows no system turn, so that rules join the first question."""
        return self._renderer.joins_system

    def read(self, table: pa.Table) -> list[list[Turn]]:
        """The conversations that can be learned from, up to their last answer."""
        found = []
        self.places = []
        for place, row in enumerate(role_table(table, [self._column]).to_pylist()):
            turns, why = self._usable(value_at(row, self._column))
            if why:
                self.dropped[why] += 1
            else:
                found.append(turns)
                self.places.append(place)
        return found

    def target(self, turns: list[Turn]) -> str:
        """What is learned of a conversation: its answers."""
        return "\n".join(turn["content"] for turn in turns if turn["role"] == "assistant")

    def _usable(self, value: Any) -> tuple[list[Turn], str]:
        turns = read_turns(value)
        if turns is None:
            return [], "hold no conversation"
        if any(turn["role"] == "tool" for turn in turns) or _calls_tools(value):
            return [], "call tools, which cannot be learned yet"
        while turns and turns[-1]["role"] != "assistant":
            turns.pop()
        if not any(turn["role"] == "user" for turn in turns):
            return [], "have no answer of the assistant to a question"
        spoken = turns[1:] if turns[0]["role"] == "system" else turns
        sides = [turn["role"] for turn in spoken]
        if "system" in sides or any(a == b for a, b in itertools.pairwise(sides)):
            return [], "do not alternate between user and assistant"
        turns = self._renderer.fitting(turns)
        try:
            self._renderer.find(turns)
        except Unrenderable as error:
            return [], f"are refused by the model's chat template ({error})"
        return turns, ""

    def encode(self, conversations: Sequence[list[Turn]]) -> list[list[Encoded]]:
        """Each conversation as one text or several, its answers marked, none too long."""
        return [self._fitted(turns) for turns in conversations]

    def whole(self, turns: list[Turn]) -> list[Encoded]:
        """The texts of one conversation before anything is left out."""
        texts = self._renderer.encode(turns)
        return [replace(t, whole=len(t.ids), targets=sum(t.scored)) for t in texts]

    def _fitted(self, turns: list[Turn]) -> list[Encoded]:
        """Without the oldest turns where it is too long; the rules stay."""
        texts = self.whole(turns)
        if all(len(text.ids) <= self._max_length for text in texts):
            return texts
        if len(texts) > 1:  # one text an answer: each is fitted by itself
            each = [turns[:place] for place in _answered(turns)]
            return [self._last(some, text) for some, text in zip(each, texts, strict=True)]
        return [self._last(turns, texts[0])]

    def _last(self, turns: list[Turn], whole: Encoded) -> Encoded:
        left = _shortened(turns, self._max_length, self._renderer.length)
        text = self._renderer.encode(left)[-1]
        cut = left != turns or len(text.ids) > self._max_length
        kept = _cut(text, self._max_length)
        return replace(kept, cut=cut, whole=whole.whole, targets=whole.targets)

    def sample(self, turns: list[Turn], room: int) -> Sample:
        """The conversation up to its last answer, at most `room` tokens, and that answer."""
        asked, answer = turns[:-1], turns[-1]["content"]
        asked = _shortened(asked, room, lambda some: len(self._renderer.prompt(some)[1]))
        text, ids = self._renderer.prompt(asked)
        return Sample(text, answer, ids[-room:])


def _calls_tools(value: Any) -> bool:
    return any(isinstance(turn, dict) and any(turn.get(key) for key in _CALLS) for turn in value)


def _answered(turns: Sequence[Turn]) -> list[int]:
    """Behind which turns there is an answer to a question."""
    asked = next(n for n, turn in enumerate(turns) if turn["role"] == "user")
    return [n + 1 for n, turn in enumerate(turns) if turn["role"] == "assistant" and n > asked]


def _shortened(turns: list[Turn], room: int, length: Callable[[Sequence[Turn]], int]) -> list[Turn]:
    """As many of the newest questions with their answers as fit, the last one at least.

    The rules stay. Leaving out more never makes it longer, so that the border is bisected.
    """
    rules = turns[:1] if turns[0]["role"] == "system" else []
    questions = [place for place, turn in enumerate(turns) if turn["role"] == "user"]
    kept = [turns, *([*rules, *turns[place:]] for place in questions[1:])]
    first = bisect.bisect_left(kept, x=True, key=lambda some: length(some) <= room)
    return kept[min(first, len(kept) - 1)]


def _cut(text: Encoded, max_length: int) -> Encoded:
    """One exchange that is still too long: its start goes, the answer's end only if it must.

    One token before the answer stays, which the first of the answer is predicted from.
    """
    if len(text.ids) <= max_length:
        return text
    first = text.scored.index(True)
    start = min(max(first - 1, 0), len(text.ids) - max_length)
    kept = slice(start, start + max_length)
    share = sum(text.scored[kept]) / sum(text.scored)
    return Encoded(text.ids[kept], text.scored[kept], round(text.bytes * share))

"""A conversation as token ids through the tokenizer's chat template, with the answers marked.

Marked are the tokens of the assistant's turns and the token that ends each. A template with
`{% generation %}` blocks tells them itself. For any other, each answer is found as what the
template adds to the rendering that invites it: between `render(turns before, with the
generation prompt)` and `render(turns up to the answer)`, where both begin the whole. Templates
that write earlier turns otherwise than the last one (some leave out old reasoning) do not
begin so; their conversations become one text an answer, each with its last turn marked.
"""

import itertools
import re
from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from easymodel_nb.metrics.perplexity import Encoded, leading_specials

Turn = dict[str, str]
Span = tuple[int, int]  # characters of a rendering

_GENERATION = re.compile(r"\{%-?\s*generation\s*-?%\}")
_PLAIN = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- 'Assistant:' -}}
{%- generation -%}
{{- ' ' + message['content'] + (eos_token or '') -}}
{%- endgeneration -%}
{{- '\\n' -}}
{%- elif message['role'] == 'system' -%}
{{- 'System: ' + message['content'] + '\\n' -}}
{%- else -%}
{{- 'User: ' + message['content'] + '\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'Assistant:' -}}
{%- endif -%}
"""


class Unrenderable(Exception):  # noqa: N818  it says what a conversation is
    """The template refuses a conversation, in its own words."""


def plain_template(tokenizer: Any) -> str:
    """A template for tokenizers without one: `User: ...`, `Assistant: ...`, the end token."""
    begins = bool(leading_specials(tokenizer)) and tokenizer.bos_token
    return ("{{- bos_token -}}\n" if begins else "") + _PLAIN


class Renderer:
    """Renders conversations with one tokenizer, which must have a template."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        template = tokenizer.chat_template
        text = " ".join(template.values()) if isinstance(template, dict) else str(template)
        self._tells = bool(_GENERATION.search(text))
        self._specials = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
        self.joins_system = not self._takes_system()

    def _takes_system(self) -> bool:
        said = [{"role": "system", "content": "Rule."}, {"role": "user", "content": "Hello."}]
        try:
            return "Rule." in self._render(said)
        except Unrenderable:
            return False

    def _render(self, turns: Sequence[Turn], *, invite: bool = False) -> str:
        try:
            text: str = self._tokenizer.apply_chat_template(
                list(turns), tokenize=False, add_generation_prompt=invite
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise Unrenderable(str(error)) from None
        return text

    def fitting(self, turns: Sequence[Turn]) -> list[Turn]:
        """The turns as the template takes them: the rules before the first question if need be."""
        if not self.joins_system or not turns or turns[0]["role"] != "system" or len(turns) == 1:
            return list(turns)
        rules, first, *rest = turns
        return [{**first, "content": f"{rules['content']}\n\n{first['content']}"}, *rest]

    def prompt(self, turns: Sequence[Turn]) -> tuple[str, list[int]]:
        """What the model reads before it answers these turns, as text and as ids."""
        text = self._render(turns, invite=True)
        return text, self._ids(text)[0]

    def length(self, turns: Sequence[Turn]) -> int:
        """Tokens of the whole conversation."""
        return len(self._ids(self._render(turns))[0])

    def encode(self, turns: Sequence[Turn]) -> list[Encoded]:
        """The conversation with its answers marked: one text, or one an answer.

        Raises
        ------
        Unrenderable
            When the template refuses it, or its answers cannot be found in the rendering.

        """
        return [self._marked(text, spans) for text, spans in self.find(turns)]

    def find(self, turns: Sequence[Turn]) -> list[tuple[str, list[Span]]]:
        """Renderings, and where the answers stand in each, without tokenising.

        Raises
        ------
        Unrenderable
            As `encode` does.

        """
        return [self._told(turns)] if self._tells else self._found(turns)

    def _found(self, turns: Sequence[Turn]) -> list[tuple[str, list[Span]]]:
        """Renderings, and where the answers stand in each."""
        asked = next((n for n, turn in enumerate(turns) if turn["role"] == "user"), len(turns))
        places = [n for n, turn in enumerate(turns) if turn["role"] == "assistant" and n > asked]
        whole = self._render(turns)
        spans = [self._span(whole, turns[: place + 1]) for place in places]
        found = [span for span in spans if span is not None]
        if found and len(found) == len(places):
            return [(whole, found)]
        alone = []
        for place in places:
            text = self._render(turns[: place + 1])
            span = self._span(text, turns[: place + 1])
            if span is None:
                raise Unrenderable("its answers cannot be told from its questions")
            alone.append((text, [span]))
        if not alone:
            raise Unrenderable("no question comes before its answers")
        return alone

    def _span(self, whole: str, turns: Sequence[Turn]) -> Span | None:
        """Where the last of the turns, an answer, stands in a text that begins with them."""
        before = self._render(turns[:-1], invite=True)
        until = self._render(turns)
        if not whole.startswith(before):
            return None
        if not whole.startswith(until):
            until = until.rstrip()  # a line break after the last turn alone
        if not whole.startswith(until) or len(until) <= len(before):
            return None
        return len(before), len(until)

    def _told(self, turns: Sequence[Turn]) -> tuple[str, list[Span]]:
        """The rendering and its `{% generation %}` blocks.

        The library's own mask of tokens ends too early where an answer ends with a character
        of several tokens, so that only the blocks are taken from it.
        """
        try:
            found: Any = render_jinja_template(  # typed as two texts; the second are places
                conversations=[list(turns)],
                chat_template=self._tokenizer.get_chat_template(),
                return_assistant_tokens_mask=True,
                **self._tokenizer.special_tokens_map,
            )
        except (TemplateError, TypeError, ValueError) as error:
            raise Unrenderable(str(error)) from None
        (rendered,), (blocks,) = found
        return rendered, [(start, stop) for start, stop in blocks if stop > start]

    def _marked(self, text: str, spans: Sequence[Span]) -> Encoded:
        ids, offsets = self._ids(text)
        if offsets is None:
            scored = self._marked_slowly(text, spans, ids)
            return self._finished(text, ids, scored, None)
        if any(begin < start < end for begin, end in offsets for start, _ in spans):
            ids, offsets = self._apart(text, spans, ids, offsets)
        scored = [
            any(start <= begin and end <= stop for start, stop in spans) and end > begin
            for begin, end in offsets
        ]
        return self._finished(text, ids, scored, offsets)

    def _apart(
        self, text: str, spans: Sequence[Span], ids: list[int], offsets: Any
    ) -> tuple[list[int], Any]:
        """Where a token reaches over the start of an answer, the answers tokenised by themselves.

        So the model will meet them: what invites an answer is tokenised before there is one.
        Not where that changes the text, as with tokenizers that begin every text with a space.
        """
        borders = [0, *(place for span in spans for place in span), len(text)]
        apart_ids: list[int] = []
        apart_offsets: list[Span] = []
        for start, stop in itertools.pairwise(borders):
            part, places = self._ids(text[start:stop])
            apart_ids += part
            apart_offsets += [(start + begin, start + end) for begin, end in places]
        if self._tokenizer.decode(apart_ids) != self._tokenizer.decode(ids):
            return ids, offsets
        return apart_ids, apart_offsets

    def _marked_slowly(self, text: str, spans: Sequence[Span], ids: list[int]) -> list[bool]:
        """Where the tokenizer tells no offsets: by the ids of what stands before."""
        scored = [False] * len(ids)
        for start, stop in spans:
            head, tail = self._ids(text[:start])[0], self._ids(text[:stop])[0]
            if ids[: len(head)] != head or ids[: len(tail)] != tail:
                raise Unrenderable("its answers cannot be told from its questions")
            scored[len(head) : len(tail)] = [True] * (len(tail) - len(head))
        return scored

    def _ids(self, text: str) -> tuple[list[int], Any]:
        fast = bool(self._tokenizer.is_fast)
        out = self._tokenizer(
            text, add_special_tokens=False, return_offsets_mapping=fast, verbose=False
        )
        return list(out["input_ids"]), out["offset_mapping"] if fast else None

    def _finished(self, text: str, ids: list[int], scored: list[bool], offsets: Any) -> Encoded:
        """Each answer is marked to its end token, and not beyond; the last one gets one.

        A template may end its block before the end token; a rendering goes on with a line break.
        """
        for place in range(1, len(ids)):
            if scored[place - 1] and not scored[place] and ids[place - 1] not in self._specials:
                scored[place] = ids[place] in self._specials
            last = scored[place] and (place + 1 == len(ids) or not scored[place + 1])
            ended = scored[place - 1] and ids[place - 1] in self._specials
            if last and ended and ids[place] not in self._specials:
                scored[place] = bool(self._tokenizer.decode([ids[place]]).strip())
        size = _bytes(text, ids, scored, offsets, self._specials)
        end = self._tokenizer.eos_token_id
        learned = [token for token, learn in zip(ids, scored, strict=True) if learn]
        if learned and scored[-1] and learned[-1] not in self._specials and end is not None:
            ids, scored = [*ids, end], [*scored, True]
        return Encoded(ids, scored, size)


def _bytes(text: str, ids: list[int], scored: list[bool], offsets: Any, specials: set[int]) -> int:
    """UTF-8 bytes of the marked text, without special tokens."""
    if offsets is None:
        return 0
    size, reached = 0, 0
    for token, learn, (begin, end) in zip(ids, scored, offsets, strict=True):
        if learn and token not in specials and end > reached:
            size += len(text[max(begin, reached) : end].encode())
            reached = end
    return size

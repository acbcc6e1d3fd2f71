"""Roles: which value of a row is the prompt, the target, the text, the label."""

from dataclasses import dataclass
from typing import Any

from easymodel_nb.train.roles.values import as_text, fill, slot_path, slots, value_at

Reason = tuple[str, str, str]  # field of the document, value path (or template), why
Pair = tuple[str | None, str]  # what is read, what is learned


@dataclass(frozen=True)
class Roles:
    """The value paths that a run reads; which of them are set depends on the task.

    generation: `text`, or `prompt` and `target`, or `template` (and `target`), or
    `messages`. seq2seq: `prompt` (or `template`) and `target`. classification: `text`
    (and `text_pair`) and `label`. token_classification: `text` is a list of words,
    `label` a list of tags.
    """

    text: str | None = None
    prompt: str | None = None
    target: str | None = None
    template: str | None = None
    messages: str | None = None
    text_pair: str | None = None
    label: str | None = None
    reasons: tuple[Reason, ...] = ()  # only for what was chosen, not for what was named

    @property
    def fields(self) -> dict[str, str]:
        """The roles by the document's field names."""
        named = {
            "text_field": self.text,
            "text_pair_field": self.text_pair,
            "prompt_field": self.prompt,
            "target_field": self.target,
            "template": self.template,
            "messages_field": self.messages,
            "label_field": self.label,
        }
        return {field: path for field, path in named.items() if path}

    @property
    def columns(self) -> list[str]:
        """Every value path that is read."""
        return [*self.inputs, *self.outputs]

    @property
    def inputs(self) -> list[str]:
        """The value paths that the model reads; for plain text and chat, the whole text."""
        paths = [self.text, self.text_pair, self.prompt, self.messages]
        paths += [slot_path(slot)[0] for slot in slots(self.template or "")]
        return list(dict.fromkeys(path for path in paths if path))

    @property
    def outputs(self) -> list[str]:
        """The value paths that the model is to answer with."""
        return [path for path in (self.target, self.label) if path]


def prompt_and_target(row: dict[str, Any], roles: Roles) -> Pair | None:
    """What a row gives: (prompt, target), or (None, text), or None when a value is absent."""
    if roles.template is not None:
        filled = fill(roles.template, row)
        if filled is None:
            return None
        if roles.target is None:
            return None, filled
        target = as_text(value_at(row, roles.target))
        return None if target is None else (filled, target)
    if roles.target is not None:
        prompt = as_text(value_at(row, roles.prompt or ""))
        target = as_text(value_at(row, roles.target))
        return None if prompt is None or target is None else (prompt, target)
    text = as_text(value_at(row, roles.text or ""))
    return None if text is None else (None, text)

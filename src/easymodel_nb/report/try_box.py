"""The prompt box as HTML: where a text is written, and what base and tuned make of it."""

from collections.abc import Sequence
from html import escape

from easymodel_nb.report import controls
from easymodel_nb.report import numbers as write
from easymodel_nb.report.differences import mark_words
from easymodel_nb.report.html import Row, missing, table, tag, text
from easymodel_nb.report.label_samples import LABEL_TASKS
from easymodel_nb.runlog.headline import kind_of
from easymodel_nb.runlog.tried import Answer, Tried
from easymodel_nb.runlog.view import RunView

_SIDES = ("base", "tuned")
_ENDED = {
    "limit": "ended at the limit of {}",
    "stopped": "stopped after {}",
    "eos": "ended by itself after {}",
}
_NONE = frozenset({"O", "_"})  # tags of words that are nothing


def try_form(view: RunView) -> str:
    """The box to write in; empty where the run has no model that could answer."""
    if view.status != "running" and view.model_path is None:
        return ""
    finetune = (view.plan or {}).get("finetune") or {}
    heading = text("div", "Try your own text", "emnb-title", role="heading", aria_level="3")
    head = tag("div", heading, "emnb-head") + text("p", _hint(view), "emnb-caption")
    fields = [controls.area("text", label="Text to try", placeholder="Write a text")]
    if finetune.get("text_pair_field"):
        fields.append(controls.area("pair", label="Second text", placeholder="And its second part"))
    send = controls.button("Try", "try_prompt", key="try", classes="emnb-primary")
    keys = text("span", "Ctrl+Enter", "emnb-note")
    inner = "".join(fields) + tag("div", send + keys, "emnb-tools") + controls.error_place()
    return head + controls.form(
        "try", inner, params={"run": view.id}, label="Try base and tuned on your own text"
    )


def _hint(view: RunView) -> str:
    """What becomes of the text, and who answers."""
    finetune = (view.plan or {}).get("finetune") or {}
    parts = [_becomes(finetune)]
    limit = finetune.get("max_new_tokens")
    if limit and kind_of(view) not in LABEL_TASKS:
        parts.append(f"Answers are greedy, of at most {write.plural(limit, 'token')}.")
    if view.status == "running":
        parts.append("The run answers between two steps, as it is at that moment.")
    parts.append("Nothing of it is saved.")
    return " ".join(parts)


def _becomes(finetune: dict[str, object]) -> str:
    if finetune.get("messages_field"):
        return "Asked as a user's turn in the run's chat template."
    if prefix := finetune.get("source_prefix"):
        return f"The source; {str(prefix).strip()!r} is put before it, as in the run."
    if finetune.get("template") and finetune.get("target_field"):
        return "Put into the run's template where that asks for one value, else the whole prompt."
    task = finetune.get("task")
    if task == "classification":
        return "Read as the run's texts were."
    if task == "token_classification":
        return "Cut into words and signs, each of which gets a tag."
    return "The prompt, read as the run's prompts were."


def tried_html(tried: Tried | None) -> str:
    """What both models made of the last text, or how far they are."""
    if tried is None:
        return ""
    shown = tag("blockquote", escape(_short(tried.text)), "emnb-tried-text")
    parts = [shown, _status(tried)]
    if tried.state == "failed":
        return "".join(parts)
    answers = [tried.base, tried.tuned]
    if any(answer.labels for answer in answers):
        parts.append(_labels(tried))
    elif any(answer.words for answer in answers):
        parts.append(_sides([_tagged(answer) for answer in answers], marked=False))
    else:
        parts.append(_sides(_texts(tried), marked=_whole(tried)))
    return "".join(parts)


def _short(value: str, most: int = 400) -> str:
    return value if len(value) <= most else value[: most - 1].rstrip() + "\u2026"


def _status(tried: Tried) -> str:
    said = tried.message
    if tried.active:
        stop = controls.button("Stop", "try_stop", key="try-stop")
        waiting = text("span", f"{said} \u2026" if said else "\u2026", "emnb-caption")
        return tag("div", waiting + stop, "emnb-tools", role="status")
    if not said:
        return tag("div", text("span", "Done.", "emnb-sr"), role="status")
    tone = "emnb-err" if tried.state == "failed" else "emnb-caption"
    return text("p", said, tone, role="alert" if tried.state == "failed" else "status")


def _texts(tried: Tried) -> list[str]:
    """Both texts; once they are whole, with the words that differ."""
    base, tuned = tried.base, tried.tuned
    marked: Sequence[str] = (
        mark_words(base.text, tuned.text)
        if _whole(tried)
        else (escape(base.text), escape(tuned.text))
    )
    found = []
    for answer, html in zip((base, tuned), marked, strict=True):
        if answer.reason is not None:
            found.append(missing(answer.reason) + text("p", answer.reason, "emnb-note"))
            continue
        shown = html if answer.text.strip() else ""
        if answer.done and not shown:
            shown = text("span", "empty", "emnb-na", title="The model ended at once")
        found.append(tag("div", shown, "emnb-tried-answer") + _ended(answer))
    return found


def _whole(tried: Tried) -> bool:
    """Whether both have written all they will write."""
    return all(answer.done and answer.reason is None for answer in (tried.base, tried.tuned))


def _ended(answer: Answer) -> str:
    if not answer.done or answer.tokens is None or answer.ended not in _ENDED:
        return ""
    return text("p", _ENDED[answer.ended].format(write.plural(answer.tokens, "token")), "emnb-note")


def _sides(html: Sequence[str], *, marked: bool) -> str:
    names = ("Base", "Tuned")
    if marked:
        names = ("Base, " + tag("del", "dropped"), "Tuned, " + tag("ins", "new"))
    columns = [
        tag("div", tag("div", name, "emnb-note") + inner, f"emnb-c-{side}")
        for side, name, inner in zip(_SIDES, names, html, strict=True)
    ]
    return tag("div", "".join(columns), "emnb-tried-pair")


def _labels(tried: Tried) -> str:
    """The probability of each label; a model without an answer says why."""
    answers = {"base": tried.base, "tuned": tried.tuned}
    names = list(dict.fromkeys(name for a in answers.values() for name, _ in a.labels))
    order = dict(tried.tuned.labels or tried.base.labels)
    names.sort(key=lambda name: -order.get(name, 0.0))
    rows = [
        Row([escape(name), *(_chance(answers[side], name) for side in _SIDES)], marked=place == 0)
        for place, name in enumerate(names)
    ]
    why = next((a.reason for a in answers.values() if a.reason), "")
    said = text("p", f"n/a: {why}", "emnb-caption") if why else ""
    return table("Probability of each label", ["label", "base", "tuned"], rows, strong=2) + said


def _chance(answer: Answer, name: str) -> str:
    if answer.reason is not None:
        return missing(answer.reason)
    found = dict(answer.labels).get(name)
    if found is None:
        return missing("not answered yet" if not answer.done else "not among the likeliest")
    shown = round(100 * found)
    return f"{min(shown, 99) if found < 1 else shown} %"


def _tagged(answer: Answer) -> str:
    """The words with their tags; those of no entity stand alone."""
    if answer.reason is not None:
        return missing(answer.reason) + text("p", answer.reason, "emnb-note")
    parts = []
    for word, name in answer.words:
        if name in _NONE:
            parts.append(escape(word))
        else:
            parts.append(tag("mark", escape(word) + text("small", f" {name}"), "emnb-entity"))
    none = answer.done and all(name in _NONE for _, name in answer.words)
    said = text("p", "no entities", "emnb-note") if none else ""
    return tag("p", " ".join(parts), "emnb-tried-answer") + said

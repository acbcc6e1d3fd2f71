"""The layouts in which JSON files hold rows, SQuAD's among them."""

from typing import Any

from easymodel_nb.train.data.names import split_named

Rows = list[dict[str, Any]]
_LISTS = ("data", "rows", "train", "examples")


def in_splits(content: Any) -> dict[str, Rows] | None:
    """The rows of {"train": [...], "validation": [...]}, by split."""
    if not isinstance(content, dict) or len(content) < 2:  # noqa: PLR2004  splits are several
        return None
    named = {name: split_named(name) for name in content}
    if None in named.values() or len(set(named.values())) < len(named):
        return None
    if not all(
        isinstance(v, list) and all(isinstance(r, dict) for r in v) for v in content.values()
    ):
        return None
    return {str(named[name]): rows for name, rows in content.items()}


def rows_in(content: Any) -> tuple[Rows, str] | None:
    """The rows, and the layout's name where it is not simply a list of them."""
    if isinstance(content, list):
        if content and all(_is_article(item) for item in content):
            return questions(content), "SQuAD"
        return [row if isinstance(row, dict) else {"text": row} for row in content], ""
    if not isinstance(content, dict):
        return None
    if isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        names = [str(name) for name in content["columns"]]
        if all(isinstance(r, list) and len(r) == len(names) for r in content["data"]):
            return [dict(zip(names, r, strict=True)) for r in content["data"]], "columns and data"
    for key in _LISTS:
        if isinstance(content.get(key), list):
            found = rows_in(content[key])
            return (found[0], found[1] or f"a list under {key!r}") if found else None
    return _columns(content) or _keyed(content) or _only_list(content)


def _columns(content: dict[str, Any]) -> tuple[Rows, str] | None:
    """{"text": [...], "label": [...]}, or pandas' {"text": {"0": ...}, "label": {"0": ...}}."""
    values = list(content.values())
    if values and all(isinstance(v, list) for v in values) and len({len(v) for v in values}) == 1:
        one = len(values) == 1 and all(isinstance(item, dict) for item in values[0])
        if not one:
            return [
                dict(zip(content, cells, strict=True)) for cells in zip(*values, strict=True)
            ], "a list a column"
    if len(values) > 0 and all(isinstance(v, dict) and v for v in values):
        keys = list(values[0])
        if all(key.isdigit() for key in keys) and all(list(v) == keys for v in values):
            return [{name: v[key] for name, v in content.items()} for key in keys], "pandas columns"
    return None


def _keyed(content: dict[str, Any]) -> tuple[Rows, str] | None:
    """{"id1": {...}, "id2": {...}}: the key becomes the column `id`, `key` where that is taken."""
    values = list(content.values())
    if len(values) == 1 and isinstance(values[0], dict):
        return rows_in(values[0])
    if not values or not all(isinstance(v, dict) and v for v in values):
        return None
    name = next(n for n in ("id", "key", "_key") if not any(n in v for v in values) or n == "_key")
    return [{name: key, **row} for key, row in content.items()], "objects by their id"


def _only_list(content: dict[str, Any]) -> tuple[Rows, str] | None:
    """The only list of objects among other things, such as {"version": 1, "items": [...]}."""
    lists = {
        name: v
        for name, v in content.items()
        if isinstance(v, list) and v and all(isinstance(item, dict) for item in v)
    }
    if len(lists) != 1:
        return None
    ((name, rows),) = lists.items()
    return rows, f"a list under {name!r}"


# ---------------------------------------------------------------- SQuAD


def _is_article(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("paragraphs"), list)


def questions(articles: Rows) -> Rows:
    """A row a question: id, title, context, question, answers {text[], answer_start[]}."""
    rows = []
    for article in articles:
        for paragraph in article["paragraphs"]:
            for asked in paragraph.get("qas") or []:
                row = {
                    "id": None if asked.get("id") is None else str(asked["id"]),
                    "title": article.get("title"),
                    "context": paragraph.get("context"),
                    "question": asked.get("question"),
                    "answers": _answers(asked.get("answers")),
                }
                if "is_impossible" in asked:
                    row["is_impossible"] = asked["is_impossible"]
                rows.append(row)
    return rows


def _answers(answers: Any) -> dict[str, list[Any]]:
    if isinstance(answers, dict) and isinstance(answers.get("text"), list):
        return answers
    given = [a for a in answers or [] if isinstance(a, dict)]
    return {
        "text": [a.get("text") for a in given],
        "answer_start": [a.get("answer_start") for a in given],
    }

"""Configurations of a dataset on the Hub, as the head of its README states them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from easymodel_nb.errors import FieldChange, Fix, Problem

_SHOWN = 8  # configurations a sentence names


class Configs(NamedTuple):
    """The names of the configurations; none where the data are one."""

    names: tuple[str, ...] = ()
    default: str | None = None  # the one that is read where none is named
    counts: Mapping[str, Mapping[str, int]] = {}  # configuration -> split -> rows


def of_card(card: Mapping[str, Any]) -> Configs:
    """What a card's metadata say; of one without configurations only the counted rows."""
    named = [str(c["config_name"]) for c in _listed(card.get("configs")) if c.get("config_name")]
    marked = [str(c["config_name"]) for c in _listed(card.get("configs")) if c.get("default")]
    alone = named[0] if len(named) == 1 else None
    default = marked[0] if marked else "default" if "default" in named else alone
    counts: dict[str, dict[str, int]] = {}
    for info in _listed(card.get("dataset_info")):
        counts[str(info.get("config_name") or "default")] = {
            str(split["name"]): int(split["num_examples"])
            for split in _listed(info.get("splits"))
            if split.get("name") and isinstance(split.get("num_examples"), int)
        }
    return Configs(tuple(named), default, counts)


def of_info(info: Any) -> Configs:
    """What the Hub's answer about a dataset says."""
    return of_card(info.card_data.to_dict() if info.card_data is not None else {})


def _listed(value: Any) -> list[dict[str, Any]]:
    """One or several objects of a card."""
    found = value if isinstance(value, list) else [value]
    return [item for item in found if isinstance(item, dict)]


def chosen(repo: str, known: Configs, named: str | None) -> tuple[str | None, Problem | None]:
    """The configuration to read, or what must be chosen first."""
    names = known.names
    if named is not None:
        if not names or named in names:
            return named, None
        from rapidfuzz import process  # noqa: PLC0415

        best = process.extractOne(named, names)
        said = f"{repo} has no configuration {named!r}; it has {_some(names)}."
        return None, _choose(said, best[0])
    if len(names) <= 1 or known.default is not None:
        return known.default, None
    said = f"{repo} has {len(names)} configurations: {_some(names)}. Choose one."
    return None, _choose(said, names[0])


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _choose(said: str, config: str) -> Problem:
    return Problem(
        code="dataset.config",
        message=said,
        field="config",
        fix=Fix(label=f"Use {config}", set=[FieldChange(node="", field="config", value=config)]),
    )

"""Where a model and its data came from, and under which licence: what their own cards say.

A licence that nobody stated stays unknown; nothing is guessed from a name or a text.
"""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from easymodel_nb import builtin
from easymodel_nb.runlog.run import Run
from easymodel_nb.train.addresses import BUILTIN, local_path, short_name
from easymodel_nb.train.hub.repository import Repo, parse_repo

_NOTICES = ("LICEN[CS]E*", "licen[cs]e*", "NOTICE*", "ATTRIBUTION*", "USE_POLICY*", "COPYING*")
# As the Hub writes what the built-in cards say; what is not here is not one of its licences.
_HUB_NAMES = {"MIT": "mit", "CC0 1.0": "cc0-1.0", "Apache-2.0": "apache-2.0"}
_DEEPEST = 50  # stages of a chain; deeper is a damaged home


@dataclass(frozen=True)
class Origin:
    """A model or a dataset that went into a run.

    `licence` is the id that the Hub uses, or what the card says in its own words where
    `named` is False; None is unknown, and `known_from` says why.
    """

    name: str
    kind: str  # builtin, local, hub, url, variable
    what: Literal["model", "dataset"] = "dataset"
    hub: str | None = None  # its id there
    revision: str | None = None
    licence: str | None = None
    named: bool = False
    link: str | None = None
    known_from: str = ""
    languages: tuple[str, ...] = ()
    notices: tuple[Path, ...] = ()  # licence and attribution texts that lie beside it

    @property
    def licence_line(self) -> str:
        """The licence in words: "MIT (as its card says)"."""
        if self.licence is None:
            return f"unknown: {self.known_from}"
        return f"{self.licence} ({self.known_from})" + (f", see {self.link}" if self.link else "")


@dataclass(frozen=True)
class Origins:
    """The model at the root of a run and the data of all its stages, the first one first."""

    model: Origin
    datasets: tuple[Origin, ...]
    stages: tuple[dict[str, Any], ...]  # their plans


def origins(run: Run, api: Any = None) -> Origins:
    """What went into a run, through the runs it continues; `api` asks the Hub as well."""
    plans = _stages(run)
    model = of_model(plans[0]["model"], api)
    datasets: list[Origin] = []
    for plan in plans:
        found = of_dataset(plan["dataset"], api)
        if found not in datasets:
            datasets.append(found)
    return Origins(model, tuple(datasets), tuple(plans))


def _stages(run: Run) -> list[dict[str, Any]]:
    plans: list[dict[str, Any]] = []
    here: Run | None = run
    while here is not None and len(plans) < _DEEPEST:
        plan = here.plan
        if plan is None:
            break
        plans.insert(0, plan)
        before = plan["request"]["model"].get("run")
        here = Run(here.folder.parent / before) if before else None
    return plans


def of_model(plan: dict[str, Any], api: Any = None) -> Origin:
    """The origin of a plan's model."""
    if plan["kind"] == "run":  # its own run is gone
        return Origin(plan["name"], "run", "model", known_from="the run it continues was deleted")
    cards = {m.name: m for m in builtin.models()}
    return _origin("model", plan, cards, Path(plan["path"]), api)


def of_dataset(plan: dict[str, Any], api: Any = None) -> Origin:
    """The origin of a plan's dataset."""
    cards = {d.name: d for d in builtin.datasets()}
    path = local_path(plan["source"]) if plan["kind"] == "local" else None
    return _origin("dataset", plan, cards, path, api)


def _origin(
    what: Literal["model", "dataset"],
    plan: dict[str, Any],
    cards: dict[str, Any],
    path: Path | None,
    api: Any,
) -> Origin:
    source, kind = str(plan["source"]), str(plan["kind"])
    bare = Origin(plan["name"], kind, what, revision=plan.get("revision"))
    if kind == "builtin":
        return _builtin(replace(bare, name=source), cards.get(short_name(source)))
    if kind == "hub":
        repo = parse_repo(source, what, plan.get("revision"))
        return _on_hub(bare, repo, api) if repo is not None else bare
    if kind == "local" and path is not None:
        return _local(bare, path)
    where = {"url": "a web address says none", "variable": "a variable of a notebook has none"}
    return replace(bare, known_from=where.get(kind, "nobody stated it"))


def _builtin(bare: Origin, card: Any) -> Origin:
    folder = builtin.path(bare.name.removeprefix(BUILTIN))
    known = _of_card(_metadata(folder / "README.md"), bare)
    if card is not None:
        said = "its card in easymodel-nb"
        hub_name = _HUB_NAMES.get(card.licence)
        known = replace(
            known, licence=hub_name or card.licence, named=bool(hub_name), known_from=said
        )
    return replace(known, notices=_notices(folder))


def _local(bare: Origin, path: Path) -> Origin:
    folder = path if path.is_dir() else path.parent
    known = _of_card(_metadata(folder / "README.md"), bare)
    if known.licence is None:
        known = replace(known, known_from="no README.md beside it states one")
    else:
        known = replace(known, known_from="the README.md beside it")
    # Beside a single file may lie the licence of anything; in a folder of its own it is its.
    return replace(known, notices=_notices(folder) if path.is_dir() else ())


def _on_hub(bare: Origin, repo: Repo, api: Any) -> Origin:
    known = replace(bare, name=repo.id, hub=repo.id)
    card = _of_card(_cached_card(repo), known)
    if card.licence is None and api is not None:
        card = _of_card(_asked_card(repo, api), known)
    if card.licence is None:
        looked = "its card on the Hub states none" if api is not None else "its card was not read"
        return replace(card, known_from=looked)
    return replace(card, known_from="its card on the Hub")


def _cached_card(repo: Repo) -> dict[str, Any]:
    """The card as the run's download left it in the client's cache."""
    from huggingface_hub import try_to_load_from_cache  # noqa: PLC0415

    found = try_to_load_from_cache(
        repo.id, "README.md", revision=repo.revision, repo_type=repo.type
    )
    return _metadata(Path(found)) if isinstance(found, str) else {}


def _asked_card(repo: Repo, api: Any) -> dict[str, Any]:
    with contextlib.suppress(Exception):  # gone, closed or unreachable: then it stays unknown
        info = api.repo_info(repo.id, repo_type=repo.type, revision=repo.revision)
        data = info.card_data
        return dict(data.to_dict()) if data is not None else {}
    return {}


def _metadata(readme: Path) -> dict[str, Any]:
    if not readme.is_file():
        return {}
    from huggingface_hub import metadata_load  # noqa: PLC0415

    with contextlib.suppress(Exception):  # damaged YAML states nothing
        found = metadata_load(readme)
        return found if isinstance(found, dict) else {}
    return {}


def _of_card(card: dict[str, Any], bare: Origin) -> Origin:
    said = card.get("license")
    ids = [str(item) for item in (said if isinstance(said, list) else [said]) if item]
    licence, named = (", ".join(ids) or None), len(ids) == 1
    if ids == ["other"] and card.get("license_name"):
        licence, named = str(card["license_name"]), False
    if ids == ["unknown"]:
        licence, named = None, False
    spoken = card.get("language")
    languages = [str(item) for item in (spoken if isinstance(spoken, list) else [spoken]) if item]
    link = card.get("license_link")
    return replace(
        bare,
        licence=licence,
        named=named,
        link=str(link) if link else None,
        languages=tuple(languages),
    )


def _notices(folder: Path) -> tuple[Path, ...]:
    found = {path for pattern in _NOTICES for path in folder.glob(pattern) if path.is_file()}
    return tuple(sorted(found))

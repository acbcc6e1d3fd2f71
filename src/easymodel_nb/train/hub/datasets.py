"""What is known of a dataset on the Hub before a run reads it: configurations, first rows."""

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from easymodel_nb.errors import Problem, StudioError, problem_error
from easymodel_nb.train.control import Control, Stopped
from easymodel_nb.train.data.reading import DatasetTables
from easymodel_nb.train.described import Detail
from easymodel_nb.train.hub import cache
from easymodel_nb.train.hub.answers import asked, not_here, why_local
from easymodel_nb.train.hub.configs import Configs, of_card, of_info
from easymodel_nb.train.hub.dataset_splits import load_dataset, refuse_script, tables_of, uncounted
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.models import access, info_of, licence_of, page_of, told_again
from easymodel_nb.train.hub.refusals import NoAnswer, guarded
from easymodel_nb.train.hub.repository import Repo
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.scratch import scratch

SMALL = 10_000_000  # bytes: less is read whole, so that its rows can be counted
FIRST_ROWS = 20
_PATIENCE = 25.0  # seconds for the first rows


@dataclass(frozen=True)
class Repository:
    """What the Hub, or without it the cache, says of a dataset repository."""

    repo: Repo
    sha: str
    size: float = 0
    licence: str = ""
    access: str = ""
    configs: Configs = field(default_factory=Configs)
    problem: Problem | None = None
    offline: str = ""
    folder: Path | None = None  # where the cache has it, when the Hub cannot be asked

    @property
    def details(self) -> list[Detail]:
        """What the inspector tells of it by name."""
        told = {
            "Configurations": ", ".join(self.configs.names) if len(self.configs.names) > 1 else "",
            "Licence": self.licence or ("not stated" if self.sha else ""),
            "Size": megabytes(self.size) if self.size else "",
            "Access": self.access,
            "Revision": f"{self.repo.revision or 'main'} ({self.sha[:7]})" if self.sha else "",
        }
        return [Detail(name, value) for name, value in told.items() if value]

    @property
    def page(self) -> str:
        """Its page on the Hub."""
        return page_of(self.repo)


def look(repo: Repo, token: str | None) -> Repository:
    """Ask for a dataset repository; without the Hub, tell what the cache has of it.

    Raises
    ------
    StudioError
        On the field to mend, when there is no such dataset or revision.

    """
    try:
        info = info_of(repo, token)
    except NoAnswer as error:
        return _from_cache(repo, error)
    refuse_script(repo, info.siblings or [])
    problem = _refused(repo, token) if info.gated else None
    return Repository(
        repo,
        str(info.sha),
        float(sum(s.size or 0 for s in info.siblings or () if not s.rfilename.endswith(".md"))),
        licence_of(info),
        access(info, problem),
        of_info(info),
        problem=problem,
    )


def _refused(repo: Repo, token: str | None) -> Problem | None:
    """What keeps this account from a gated repository."""
    from huggingface_hub import HfApi  # noqa: PLC0415

    api = HfApi(token=token or False)
    try:
        asked(lambda: api.auth_check(repo.id, repo_type=repo.type), repo, token)
    except StudioError as error:
        return told_again(error.problems[0], token)
    return None


def _from_cache(repo: Repo, error: StudioError) -> Repository:
    found = cache.folder_of(repo, error)
    offline = why_local(error)
    if found is None:
        return Repository(repo, "", problem=not_here(repo, error), offline=offline)
    card = cache.card_of(found.path)
    licence = card.get("license")
    return Repository(
        repo,
        found.sha,
        licence=licence if isinstance(licence, str) else "",
        offline=offline,
        folder=found.path,
        configs=of_card(card),
    )


def rows(known: Repository, config: str | None, token: str | None, home: Path) -> DatasetTables:
    """All rows of a small dataset, else the first ones of each split.

    Raises
    ------
    StudioError
        When it cannot be read; a note, when that takes too long.

    """
    with scratch(home) as folder:
        control = Control(folder)
        control.end_in(_PATIENCE)
        try:
            if known.folder is not None:
                return _tables(known, _read(known, known.folder, config, control))
            if 0 < known.size <= SMALL:
                unlogged = Unlogged(home, folder)
                loaded = load_dataset(known.repo, config, token, control, unlogged)
                return _tables(known, loaded.splits)
            return _tables(known, _first(known, config, token, control), complete=False)
        except Stopped:
            raise problem_error(
                "hub.slow",
                f"The first rows of {known.repo.id} did not arrive within {_PATIENCE:.0f} seconds; "
                "they are read when training starts.",
                field="source",
                severity="note",
            ) from None


def _tables(
    known: Repository, splits: dict[str, pa.Table], *, complete: bool = True
) -> DatasetTables:
    return DatasetTables(splits, known.repo.id, "hub", known.sha, complete=complete)


def _read(
    known: Repository, folder: Path, config: str | None, control: Control
) -> dict[str, pa.Table]:
    """A dataset that lies in the cache."""
    datasets = uncounted()

    def load() -> Any:
        return guarded(lambda: datasets.load_dataset(str(folder), config), known.repo, None)

    return tables_of(control.interruptible(load))


def _first(
    known: Repository, config: str | None, token: str | None, control: Control
) -> dict[str, pa.Table]:
    """The first rows of each split, read without downloading the rest."""
    datasets = uncounted()

    def load() -> dict[str, pa.Table]:
        streams = datasets.load_dataset(
            known.repo.id, config, revision=known.sha, token=token or False, streaming=True
        )
        return {name: _table(datasets, stream, control) for name, stream in streams.items()}

    return guarded(lambda: control.interruptible(load), known.repo, token)


def _table(datasets: Any, stream: Any, control: Control) -> pa.Table:
    kept: list[dict[str, Any]] = []
    for row in islice(stream, FIRST_ROWS):
        control.check()
        kept.append(row)
    features = stream.features or datasets.Dataset.from_list(kept).features
    schema = features.arrow_schema
    encoded = [features.encode_example(row) for row in kept]
    return pa.Table.from_pylist(encoded, schema=schema).replace_schema_metadata(schema.metadata)

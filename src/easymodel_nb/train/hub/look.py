"""Sources on the Hub as a node tells them: each asked once in a session, never waited for long."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from easymodel_nb import environment
from easymodel_nb.errors import StudioError
from easymodel_nb.train.data.describe import describe_tables
from easymodel_nb.train.data.reading import plural
from easymodel_nb.train.described import Described, SplitRows
from easymodel_nb.train.hub import datasets, models
from easymodel_nb.train.hub.answers import Answers
from easymodel_nb.train.hub.cache import CACHE
from easymodel_nb.train.hub.configs import chosen
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.repository import Repo, RepoType, parse_repo
from easymodel_nb.train.hub.search import did_you_mean
from easymodel_nb.workflow.document import DatasetData, FinetuneData, ModelData

T = TypeVar("T")
_ROWS_KEPT = 8


class HubLook:
    """What is known of Hub sources in this session."""

    def __init__(self, token: Callable[[], str | None], home: Path | None = None) -> None:
        self._token = token
        self._home = home or environment.default_home()
        self._known, self._rows = Answers(), Answers(_ROWS_KEPT)

    def describe(
        self, data: ModelData | DatasetData, finetune: FinetuneData | None
    ) -> Described | None:
        """Facts of a source on the Hub; None for what is no repository there.

        Raises
        ------
        StudioError
            On the field to mend.

        """
        kind: RepoType = "model" if isinstance(data, ModelData) else "dataset"
        repo = parse_repo(data.source, kind, data.revision)
        if repo is None:
            return None
        token = self._token()
        if isinstance(data, ModelData):
            look = lambda repo, token: models.look(repo, token, self._home)  # noqa: E731
            return self._known.once(repo, lambda: self._near(repo, token, look))
        known = self._known.once(repo, lambda: self._near(repo, token, datasets.look))
        return self._dataset(known, data, finetune, token)

    def forget(self) -> None:
        """Ask anew what was refused, or could not be asked."""
        self._known.forget(
            lambda found: bool(found.problem or found.offline or getattr(found, "code", None))
        )
        self._rows.forget()

    def _near(self, repo: Repo, token: str | None, look: Callable[[Repo, str | None], T]) -> T:
        try:
            return look(repo, token)
        except StudioError as error:
            if error.problems[0].code != "hub.not_found":
                raise
            known = [cached.id for cached in CACHE.repos(repo.type)]
            raise did_you_mean(repo, error, token, known) from error

    def _dataset(
        self,
        known: datasets.Repository,
        data: DatasetData,
        finetune: FinetuneData | None,
        token: str | None,
    ) -> Described:
        config, missing = chosen(known.repo.id, known.configs, data.config)
        problem = known.problem or missing
        told = Described(
            lines=[line for line in (_size(known), known.licence) if line],
            details=known.details,
            configs=list(known.configs.names) if len(known.configs.names) > 1 else [],
            page=known.page,
            offline=known.offline,
            problem=problem,
        )
        if problem is not None:
            return told
        key = (known.repo, known.sha, config)
        try:
            tables = self._rows.once(key, lambda: datasets.rows(known, config, token, self._home))
        except StudioError as error:
            return replace(told, problem=error.problems[0])
        found = describe_tables(data, tables, finetune)
        counts = known.configs.counts.get(config or "default", {})
        trained = next((g.value for g in found.guesses if g.field == "train_split"), None)
        total = found.total_rows
        if total is None:
            total = counts.get(str(data.train_split or trained))
        return replace(
            told,
            lines=_lines(known, found, total),
            columns=found.columns,
            rows=found.rows,
            total_rows=total,
            roles=found.roles,
            reasons=found.reasons,
            candidates=found.candidates,
            splits=[
                s if s.rows is not None else SplitRows(s.name, counts.get(s.name))
                for s in found.splits
            ],
            guesses=found.guesses,
            notes=found.notes,
        )


def _size(known: datasets.Repository) -> str:
    return megabytes(known.size) if known.size else ""


def _lines(known: datasets.Repository, found: Described, total: int | None) -> list[str]:
    """Rows and what is held out; licence, size, columns."""
    columns = plural(len(found.columns), "column")
    where = "in the local cache" if known.folder is not None else _size(known)
    first = found.lines[0]
    if found.total_rows is None:
        counted = f"{plural(total, 'row')} by its card" if total is not None else "Large"
        first = f"{counted}; the first are shown"
    return [first, ", ".join(filter(None, [known.licence, where, columns]))]

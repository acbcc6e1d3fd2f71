"""The splits of a dataset on the Hub as Arrow tables."""

from dataclasses import dataclass
from typing import Any

from easymodel_nb.errors import StudioError, problem_error
from easymodel_nb.train.control import Control
from easymodel_nb.train.hub.arriving import with_progress
from easymodel_nb.train.hub.asking import ask, from_cache, remember
from easymodel_nb.train.hub.configs import chosen, of_info
from easymodel_nb.train.hub.large import refuse_large
from easymodel_nb.train.hub.refusals import NoAnswer, guarded
from easymodel_nb.train.hub.repository import Repo
from easymodel_nb.train.reporter import Reporter

STREAM_ABOVE = 200_000_000  # bytes of a dataset repository: about a minute's download


@dataclass(frozen=True)
class Wanted:
    """What a run reads of a dataset: enough for it, so that a large one is not downloaded."""

    train_rows: int
    eval_rows: int
    seed: int
    train_split: str | None = None
    eval_split: str | None = None

    def rows(self, split: str) -> int | None:
        """How many rows of a split; None is all, for a slice counts from its end as well."""
        named = f"{self.train_split or ''}+{self.eval_split or ''}"
        if "[" in named:
            return None
        trained = split == self.train_split or (self.train_split is None and _is_train(split))
        return self.train_rows if trained else max(self.eval_rows, self.train_rows)


def _is_train(split: str) -> bool:
    return split in {"train", "training"}


@dataclass(frozen=True)
class Loaded:
    """The splits of a dataset repository, with the names of classes in their metadata."""

    splits: dict[str, Any]
    sha: str
    streamed: str = ""  # why, and how, not all rows were read


def load_dataset(
    repo: Repo,
    config: str | None,
    token: str | None,
    control: Control,
    reporter: Reporter,
    wanted: Wanted | None = None,
    *,
    limit: int | None = None,
) -> Loaded:
    """The splits of a dataset repository as Arrow tables, and its commit.

    Of a repository over `STREAM_ABOVE` bytes only what is `wanted` is read.

    Raises
    ------
    TooLarge
        When more than `limit` bytes would have to be downloaded.
    StudioError
        On `source`, when there is no such dataset or it cannot be had.

    """
    datasets = uncounted()
    reporter.stage("loading", f"Looking up {repo.id} on the Hugging Face Hub")
    try:
        info = ask(repo, token, control)
    except NoAnswer as error:
        # Not by its id: without network that gives any version, whatever the revision.
        here = from_cache(repo, error)
        loaded = control.interruptible(
            lambda: guarded(lambda: datasets.load_dataset(str(here.path), config), repo, token)
        )
        return Loaded(tables_of(loaded), here.sha)
    sha = str(info.sha)
    refuse_script(repo, info.siblings or [])
    config, missing = chosen(repo.id, of_info(info), config)
    if missing is not None:
        raise StudioError(missing)
    size = sum(s.size or 0 for s in info.siblings or [] if not s.rfilename.endswith(".md"))
    if wanted is not None and wanted.rows("train") is not None and size > STREAM_ABOVE:
        from easymodel_nb.train.hub import streaming  # noqa: PLC0415

        return streaming.read(repo, sha, config, token, control, reporter, wanted, size)
    refuse_large(repo.id, size, limit)
    reporter.stage("loading", f"Downloading {repo.id}", unit="bytes")

    def load() -> Any:
        found = datasets.load_dataset(repo.id, config, revision=sha, token=token or False)
        remember(repo, token)
        return found

    loaded = with_progress(load, repo, token, control, reporter)
    return Loaded(tables_of(loaded), sha)


def uncounted() -> Any:
    """The `datasets` library, without the note to a host of its own that it loads something."""
    import datasets  # noqa: PLC0415

    datasets.config.HF_UPDATE_DOWNLOAD_COUNTS = False
    return datasets


def tables_of(loaded: Any) -> dict[str, Any]:
    """The splits of a loaded dataset, with the names of classes in their metadata."""
    return {
        name: split.data.table.replace_schema_metadata(split.features.arrow_schema.metadata)
        for name, split in loaded.items()
    }


def refuse_script(repo: Repo, siblings: list[Any]) -> None:
    """Refuse a repository whose rows only a script of its own can make."""
    script = f"{repo.id.rsplit('/', 1)[-1]}.py"
    if any(sibling.rfilename == script for sibling in siblings):
        raise problem_error(
            "source.script",
            f"{repo.id} is a dataset with a loading script ({script}), which would have to be run "
            "to get the rows; code that comes with data is never run here. Look on the Hub for a "
            "copy in Parquet, or set the revision refs/convert/parquet if it has one.",
            field="source",
        )

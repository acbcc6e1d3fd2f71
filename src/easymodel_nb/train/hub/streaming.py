"""A subset of a large Hub dataset, read row by row without downloading the whole."""

from typing import Any

import pyarrow as pa

from easymodel_nb.train.control import Control
from easymodel_nb.train.hub.dataset_splits import Loaded, Wanted, uncounted
from easymodel_nb.train.hub.large import megabytes
from easymodel_nb.train.hub.refusals import guarded
from easymodel_nb.train.hub.repository import Repo
from easymodel_nb.train.reporter import Reporter

_BUFFERED = 10  # rows drawn from, for each row that is wanted
_MOST_BUFFERED = 20_000
_BATCH = 100  # rows between two looks at a stop


def read(
    repo: Repo,
    sha: str,
    config: str | None,
    token: str | None,
    control: Control,
    reporter: Reporter,
    wanted: Wanted,
    size: float,
) -> Loaded:
    """The rows that a run wants of each split, drawn with its seed.

    The order of the files and a buffer of rows are shuffled: a sample that is seeded, though
    not every row is as likely as in a shuffle of the whole.
    """
    datasets = uncounted()
    reporter.stage("loading", f"Reading {repo.id} row by row ({megabytes(size)})", unit="rows")
    arrived = [0]

    def load() -> dict[str, pa.Table]:
        streams = datasets.load_dataset(
            repo.id, config, revision=sha, token=token or False, streaming=True
        )
        return {
            name: _drawn(
                stream, wanted.rows(name) or wanted.train_rows, wanted.seed, arrived, control
            )
            for name, stream in streams.items()
        }

    def tick() -> None:
        reporter.advance(arrived[0])

    splits = guarded(lambda: control.interruptible(load, tick=tick), repo, token)
    said = (
        f"{repo.id} is {megabytes(size)}: {wanted.train_rows:,} rows were drawn from a "
        "shuffled stream instead of downloading all of it"
    )
    return Loaded(splits, sha, said)


def _drawn(stream: Any, rows: int, seed: int, arrived: list[int], control: Control) -> pa.Table:
    buffer = min(rows * _BUFFERED, _MOST_BUFFERED)
    drawn = stream.shuffle(seed=seed, buffer_size=buffer).take(rows)
    kept: list[dict[str, Any]] = []
    for row in drawn:
        if len(kept) % _BATCH == 0:
            control.check()
        kept.append(row)
        arrived[0] += 1
    features = drawn.features or stream.features
    if features is None:
        import datasets  # noqa: PLC0415

        features = datasets.Dataset.from_list(kept).features
    encoded = [features.encode_example(row) for row in kept]
    schema = features.arrow_schema
    return pa.Table.from_pylist(encoded, schema=schema).replace_schema_metadata(schema.metadata)

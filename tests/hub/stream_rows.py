"""Opens Hub datasets in one process that has HF_ENDPOINT set: what was read, as JSON.

Usage: python stream_rows.py HOME LARGE < cases.json, a list of {"dataset", "finetune"}; LARGE is
how many bytes make a repository a large one.
"""

import json
import sys
from pathlib import Path
from typing import Any

from easymodel_nb.errors import StudioError
from easymodel_nb.runlog.log import new_run
from easymodel_nb.train.control import Control
from easymodel_nb.train.data.open import open_dataset
from easymodel_nb.train.hub import dataset_splits
from easymodel_nb.train.reporter import Reporter
from easymodel_nb.train.roles import class_names
from easymodel_nb.workflow.document import DatasetData, FinetuneData

dataset_splits.STREAM_ABOVE = int(sys.argv[2])


def told(case: dict[str, Any]) -> dict[str, Any]:
    """What one case gives."""
    folder = new_run(Path(sys.argv[1]))
    try:
        tables = open_dataset(
            DatasetData(**case["dataset"]),
            None,
            Control(folder),
            Reporter(folder),
            FinetuneData(**case["finetune"]),
        )
    except StudioError as error:
        return error.problems[0].model_dump()
    return {
        "splits": {name: table.to_pylist() for name, table in tables.splits.items()},
        "names": {name: class_names(table, "label") for name, table in tables.splits.items()},
        "guesses": [[guess.field, guess.reason] for guess in tables.guesses],
        "revision": tables.revision,
        "complete": tables.complete,
    }


for asked in json.load(sys.stdin):
    print(json.dumps(told(asked)), flush=True)  # noqa: T201

"""Data, columns, rows and token ids, in fresh processes: the first time, and once they are kept."""

import json
import subprocess
import sys
import tempfile
from typing import Any

_CODE = """
import json, sys, time
from pathlib import Path
home, source, task_fields = Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
from easymodel_nb.store.first import first_workflow
from easymodel_nb.train.heavy import import_trainer
import_trainer()
from easymodel_nb.train.control import Control
from easymodel_nb.train.preparation import prepare
from easymodel_nb.train.reporter import Unlogged
from easymodel_nb.train.requests import asked
workflow = first_workflow()
workflow.nodes[1].data |= {"source": source}
workflow.nodes[2].data |= {"subset_size": None} | task_fields
request = next(iter(asked(workflow, [workflow.nodes[2].id], None, []))).request
cpu, wall = time.process_time(), time.perf_counter()
ready = prepare(request, lambda: None, Control(home), Unlogged(home, home))
len(ready.lengths)
print(json.dumps({
    "cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall,
    "rows": ready.prepared.train_rows + ready.prepared.eval_rows,
    "tokens": sum(ready.lengths),
}))
"""


def measure(source: str, **fields: Any) -> dict[str, Any]:
    """The first preparation in an empty home, and that of the process after it."""
    with tempfile.TemporaryDirectory(prefix="easymodel-start-") as home:
        return {name: _once(home, source, fields) for name in ("first", "second")}


def _once(home: str, source: str, fields: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-c", _CODE, home, source, json.dumps(fields)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found

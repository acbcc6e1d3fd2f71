"""A log of up to 100,000 events becomes a run's view; against reading its JSON alone."""

import json
import tempfile
import time
from pathlib import Path

from report import Section, middle

from easymodel_nb.runlog.log import RunLog, RunReader, new_run

COUNTS = (1_000, 10_000, 100_000)
REPEATS = 5


def measure() -> Section:
    """CPU time, because the rest of the machine is not asked about."""
    rows, fold, parse = [], [0.0], [0.0]
    with tempfile.TemporaryDirectory(prefix="easymodel-bench-") as name:
        for count in COUNTS:
            folder = _log(Path(name), count)
            content = (folder / "events.jsonl").read_bytes()
            fold, parse = [], []
            for _ in range(REPEATS):  # in turn, so that a busy moment hits both
                began = time.process_time()
                view = RunReader(folder).view()
                read = time.process_time()
                lines = [json.loads(line) for line in content.splitlines()]
                parse.append(time.process_time() - read)
                fold.append(read - began)
                if not len(view.curve) == len(lines) - 2 == count - 2:
                    raise SystemExit("not all lines became points")
            rows.append([f"{count:,}", middle(fold, 3), middle(parse, 3)])
    return Section(
        "The event log",
        f"{COUNTS[-1]:,} events are read and folded in {min(fold):.2f} s of one core, "
        f"{min(fold) / min(parse):.1f} times what it takes to read them as JSON.",
        ["events", f"log to view, CPU, median of {REPEATS} (range)", "`json.loads` of each line"],
        rows,
    )


def _log(home: Path, count: int) -> Path:
    """A run as a trainer writes it, with progress lines for all but the first two events."""
    folder = new_run(home)
    log = RunLog(folder)
    log.append("run_created", project_id="p", node_id="f1", request={})
    log.append("run_started", attempt=1, plan={"epochs": 2, "max_steps": count}, environment={})
    with (folder / "events.jsonl").open("a", encoding="utf-8") as file:
        for step in range(1, count - 1):
            line = {
                "seq": step + 1,
                "time": "2026-11-23T08:00:00.000Z",
                "run_id": folder.name,
                "type": "progress",
                "step": step,
                "max_steps": count,
                "epoch": 2 * step / count,
                "epochs": 2,
                "loss": 3.2 - step / count,
                "learning_rate": 1e-4,
                "grad_norm": 1.02,
                "tokens_per_second": 10_512.3,
                "seconds_left": 12.0,
                "memory_bytes": 1_234_567_890,
            }
            file.write(json.dumps(line) + "\n")
    return folder

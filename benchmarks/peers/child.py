"""One run in a process of its own: `python benchmarks/peers/child.py JOB.json`."""

import importlib
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# This file's own folder is on the path as well: its modules must come as peers.NAME alone.
sys.path[0] = str(ROOT / "benchmarks")
sys.path.insert(1, str(ROOT / "src"))


def main(path: str) -> None:
    """Do what the job says."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    importlib.import_module(f"peers.{job['module']}").run(job)


if __name__ == "__main__":
    main(sys.argv[1])

"""What a soak measured, for docs/reliability.md: a line of JSON each in test-results/soak.jsonl."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[2] / "test-results"


def keep(what: str, figures: dict[str, Any]) -> None:
    """Write down the figures of one soak."""
    RESULTS.mkdir(exist_ok=True)
    line = {"what": what, "time": datetime.now(UTC).isoformat(timespec="seconds"), **figures}
    with (RESULTS / "soak.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")

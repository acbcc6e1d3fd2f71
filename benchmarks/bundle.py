"""The size of what the wheel brings to the browser."""

import gzip
from pathlib import Path

from report import Section

STATIC = Path(__file__).parents[1] / "src" / "easymodel_nb" / "widgets" / "static"
LIMIT, LIMIT_GZIP = 650, 200


def measure() -> Section:
    """Raw and gzipped, against the budget."""
    rows, total, packed = [], 0.0, 0.0
    for name in ("workbench.js", "workbench.css"):
        data = (STATIC / name).read_bytes()
        raw, small = len(data) / 1024, len(gzip.compress(data, 9)) / 1024
        total, packed = total + raw, packed + small
        rows.append([name, f"{raw:.0f} KB", f"{small:.0f} KB"])
    return Section(
        "Bundle",
        f"{total:.0f} KB, {packed:.0f} KB gzipped: {total / LIMIT:.0%} and "
        f"{packed / LIMIT_GZIP:.0%} of the budget of {LIMIT} and {LIMIT_GZIP} KB.",
        ["file", "size", "gzip"],
        rows,
    )

"""A table as the text of a CSV file (RFC 4180), every number as it was computed."""

import csv
import io
from collections.abc import Sequence

from easymodel_nb.report.content import Cell, DataTable

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


def csv_text(data: DataTable) -> str:
    """The table; None is an empty field.

    Texts come from models and data sets: one that a spreadsheet would take for a formula begins
    with an apostrophe, which it shows as text.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(data.columns)
    writer.writerows(_row(row) for row in data.rows)
    return out.getvalue()


def _row(row: Sequence[Cell]) -> list[Cell]:
    return [f"'{c}" if isinstance(c, str) and c.startswith(_FORMULA) else c for c in row]

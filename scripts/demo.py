"""Execute the quickstart notebook in a real kernel and show what came of it: `make demo`."""

import os
import sys
import tempfile
import threading
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from rich.console import Console
from rich.table import Table

from easymodel_nb.runlog.log import RunReader, runs_folder
from easymodel_nb.terminal import Display, display, duration

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "notebooks" / "quickstart.ipynb"
PATIENCE = 1800
KERNEL_LOG = "kernel.log"


def main() -> int:
    """Run the demo; 1 when a cell failed or the results are not there."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="easymodel-demo-") as folder:
        os.environ["EASYMODEL_HOME"] = folder
        console.print(f"Executing {NOTEBOOK.relative_to(ROOT)} in a notebook kernel")
        began = time.monotonic()
        try:
            notebook = execute(Path(folder))
        except CellExecutionError as error:
            console.print(f"A cell failed: {error.ename}: {error.evalue}", markup=False)
            return 1
        except DeadKernelError:
            console.print("The notebook's kernel died. Its last words:")
            console.print((Path(folder) / KERNEL_LOG).read_text()[-2000:], markup=False)
            return 1
        took = time.monotonic() - began
    numbers, samples = table_in(notebook, "numbers"), table_in(notebook, "samples")
    if len(numbers) < 3 or len(samples) != 4:  # noqa: PLR2004  a head, epochs 0 and 1 at least; three samples
        console.print("The notebook ran, but its tables of numbers and samples are not complete.")
        return 1
    show(console, "Perplexity (lower is better; epoch 0 is before training)", numbers)
    show(console, "The same prompts, before and after", samples)
    console.print(f"The notebook took {duration(took)}. Open the studio by hand with: make lab")
    return 0


def execute(home: Path) -> Any:
    """Run every cell, showing the run's events meanwhile; the notebook with its outputs."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=PATIENCE,
        kernel_name="python3",
        resources={"metadata": {"path": str(NOTEBOOK.parent)}},
    )
    done = threading.Event()
    with display(home) as shown, (home / KERNEL_LOG).open("w") as log:
        follower = threading.Thread(target=follow, args=(home, shown, done))
        follower.start()
        try:
            client.execute(stderr=log)  # what kernels say when they start is no news here
        finally:
            done.set()
            follower.join()
    return notebook


def follow(home: Path, shown: Display, done: threading.Event) -> None:
    """Tell the display every event of the run, as it is written by the kernel."""
    told = 0
    while not done.wait(0.2):
        for folder in sorted(runs_folder(home).glob("*"))[-1:]:
            events = list(RunReader(folder).events())
            for event in events[told:]:
                shown.event(event.model_dump(mode="json"))
            told = len(events)


class _Cells(HTMLParser):
    """The rows of an HTML table as lists of text."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._open = False

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self._open = True

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th"}:
            self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.rows[-1][-1] += data.replace("\\n", "\n")  # pandas writes them so


def table_in(notebook: Any, cell_id: str) -> list[list[str]]:
    """The table a cell has put out, without its index column; empty when there is none."""
    cell = next(cell for cell in notebook.cells if cell.id == cell_id)
    parser = _Cells()
    for output in cell.outputs:
        parser.feed(output.get("data", {}).get("text/html", ""))
    return [row[1:] for row in parser.rows]


def show(console: Console, title: str, rows: list[list[str]]) -> None:
    """Print a table."""
    console.print(f"\n{title}")
    table = Table(show_lines=True)
    for name in rows[0]:
        table.add_column(name, overflow="fold")
    for row in rows[1:]:
        table.add_row(*row)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())

"""What a studio costs while it is open for long: its kernel, its page and its files."""

import json
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from harness.lab import LabPage

if TYPE_CHECKING:
    from playwright.sync_api import CDPSession

MIB = 1 << 20
Sample = dict[str, float]

_INSIDE = """
import gc, json, os, pathlib, threading
import ipywidgets
from easymodel_nb.train.manager import manager_of
_manager = manager_of(pathlib.Path(studio._session.home))
gc.collect()
pathlib.Path({path!r}).write_text(json.dumps({{
    "pid": os.getpid(),
    "objects": len(gc.get_objects()),
    "python_threads": threading.active_count(),
    "widgets": len(getattr(ipywidgets.Widget, "_instances", None) or ipywidgets.Widget.widgets),
    "listeners": len(_manager._listeners),
}}))
"""


class Gauges:
    """Reads kernel, browser and disk at once."""

    def __init__(self, page: LabPage, home: Path, folder: Path) -> None:
        self._page, self._home, self._file = page, home, folder / "gauges.json"
        self._cdp: CDPSession = page.page.context.new_cdp_session(page.page)
        for domain in ("HeapProfiler", "Performance"):
            self._cdp.send(f"{domain}.enable")
        self.samples: list[Sample] = []

    def read(self, **more: float) -> Sample:
        """One more sample; both sides clear away their garbage before."""
        self._page.execute(_INSIDE.format(path=str(self._file)))
        inside = json.loads(self._file.read_text())
        kernel = psutil.Process(inside.pop("pid"))
        self._cdp.send("HeapProfiler.collectGarbage")
        told = self._cdp.send("Performance.getMetrics")["metrics"]
        browser = {each["name"]: each["value"] for each in told}
        files = [path for path in self._home.rglob("*") if path.is_file()]
        sample = {
            **more,
            **inside,
            "kernel_mib": round(kernel.memory_info().rss / MIB, 1),
            "threads": kernel.num_threads(),
            "open_files": kernel.num_fds(),
            "heap_mib": round(browser["JSHeapUsedSize"] / MIB, 2),
            "dom_nodes": browser["Nodes"],
            "js_listeners": browser["JSEventListeners"],
            "log_kib": round(_size(files, "events.jsonl", "log.txt") / 1024, 1),
            "home_mib": round(_size(files) / MIB, 2),
        }
        self.samples.append(sample)
        return sample

    def halves(self, name: str) -> tuple[float, float]:
        """The median of a gauge in the first half and in the second, the first tenth left out."""
        values = [sample[name] for sample in self.samples[max(1, len(self.samples) // 10) :]]
        middle = len(values) // 2
        return statistics.median(values[:middle]), statistics.median(values[middle:])

    def assert_flat(self, allowed: dict[str, float]) -> None:
        """No gauge grows from half to half by more than allowed."""
        for name, more in allowed.items():
            first, second = self.halves(name)
            assert second - first <= more, (name, [sample[name] for sample in self.samples])

    def figures(self, *names: str) -> dict[str, Any]:
        """First, last and the medians of both halves of some gauges."""
        return {
            name: {
                "first": self.samples[0][name],
                "halves": self.halves(name),
                "last": self.samples[-1][name],
                "all": [sample[name] for sample in self.samples],
            }
            for name in names
        }


def _size(files: list[Path], *names: str) -> int:
    total = 0
    for path in files:
        if not names or path.name in names:
            try:
                total += path.stat().st_size
            except FileNotFoundError:  # a checkpoint that was replaced meanwhile
                continue
    return total

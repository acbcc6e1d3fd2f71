"""`import easymodel` against `import ipywidgets, anywidget`, in fresh interpreters."""

import statistics
import subprocess
import sys

from report import Section, middle

REPEATS = 9
CODES = {
    "nothing": "pass",
    "import easymodel": "import easymodel",
    "import ipywidgets, anywidget": "import ipywidgets, anywidget",
    "easymodel.studio (what opens the studio)": "import easymodel; easymodel.studio",
}
_TIMED = "import time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"


def measure() -> Section:
    """Interleaved, so that a busy moment hits all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in CODES}
    for _ in range(REPEATS):
        for name, code in CODES.items():
            seconds[name].append(_run(code))
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    widgets = medians["import ipywidgets, anywidget"]
    share = medians["import easymodel"] / widgets
    opening = medians["easymodel.studio (what opens the studio)"] / widgets
    return Section(
        "Import",
        f"`import easymodel` takes {share:.0%} of the time of `import ipywidgets, anywidget`; "
        f"with all that `studio()` needs it is {opening:.1f} times that time.",
        ["code", f"median of {REPEATS} (range)"],
        [[f"`{name}`", middle(values, 3)] for name, values in seconds.items()],
    )


def _run(code: str) -> float:
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(code)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)

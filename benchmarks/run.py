"""Measure everything but the canvas and write docs/benchmarks.md: `make bench`.

Everything is a ratio within one run on one machine, because absolute times of a busy
machine say little. `python benchmarks/run.py bundle importing` measures only those.
"""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests" / "browser"))

import bundle  # noqa: E402  the harness must be importable first
import folding  # noqa: E402
import importing  # noqa: E402
import opening  # noqa: E402
import training  # noqa: E402
from harness.browser import chromium_browser  # noqa: E402
from harness.server import JupyterServer, lab  # noqa: E402
from playwright.sync_api import Browser  # noqa: E402
from report import Section, kept, machine  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """\
# Measured

Written by `make bench`. Ratios within one run on one machine; the times themselves depend on
what else it does.

{machine}
"""
InBrowser = Callable[[JupyterServer, Browser, Path], Iterator[Section]]


def main(names: list[str]) -> int:
    """Measure the named sections, or all; write the page only when all were measured."""
    sections = []
    for section in _sections(names or ["importing", "bundle", "folding", "opening", "training"]):
        sections.append(section)
        print(section.markdown(), end="\n\n", flush=True)
    if not names:
        text = [HEAD.format(machine=machine()), *(section.markdown() for section in sections)]
        text += kept(PAGE)
        PAGE.write_text("\n".join(text[:1]) + "\n" + "\n\n".join(text[1:]) + "\n")
        print(f"Written to {PAGE.relative_to(ROOT)}")
    return 0


def _sections(names: list[str]) -> Iterator[Section]:
    if "importing" in names:
        yield importing.measure()
    if "bundle" in names:
        yield bundle.measure()
    if "folding" in names:
        yield folding.measure()
    if not {"opening", "training"} & set(names):
        return
    # A run takes as many threads as cores are free, and a browser takes cores: one for both.
    os.environ["OMP_NUM_THREADS"] = "1"
    with (
        tempfile.TemporaryDirectory(prefix="easymodel-bench-") as name,
        lab(sys.executable, Path(name) / "lab") as server,
        chromium_browser() as browser,
    ):
        if "opening" in names:
            yield opening.measure(server, browser, Path(name))
        if "training" in names:
            yield from training.measure(server, browser, Path(name))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

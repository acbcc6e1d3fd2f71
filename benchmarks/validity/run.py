"""Measure how far the metrics agree with people, and write it into docs/metrics.md.

    python benchmarks/validity/run.py

Reads the sets of human judgements in $EASYMODEL_SHARED/human (`shared` beside the repository unless
set). Takes some minutes on two cores. Nothing is fitted to the ratings.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from validity import candidates, tables
from validity.human import HUMAN, ROOT, HumanSet, sets

from easymodel_nb.metrics import judges

DOCS = ROOT / "docs" / "metrics.md"
BEGIN, END = "<!-- validity:begin -->", "<!-- validity:end -->"


def main() -> int:
    """Measure all sets and write the tables between the markers."""
    if not HUMAN.is_dir():
        print(f"There are no human judgements at {HUMAN}; set EASYMODEL_SHARED.")
        return 1
    measured: dict[str, tuple[HumanSet, candidates.Scores]] = {}
    for human in sets():
        start = time.monotonic()
        measured[human.name] = (human, candidates.everything(human))
        print(f"{human.title}: {len(human)} texts, {time.monotonic() - start:.0f} s", flush=True)
    text = DOCS.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    DOCS.write_text(f"{before}{BEGIN}\n\n{_report(measured)}\n\n{END}{after}", encoding="utf-8")
    return 0


def _report(measured: tables.Measured) -> str:
    here = judges.local()
    named = [str(one.identity) for one in (here.encoder, here.grammar) if one is not None]
    parts = [
        f"Judges: {', '.join(named)}; the n-gram fitted as told above; T1 with tiny-gpt2.",
        tables.headline(measured),
    ]
    for human, scores in measured.values():
        parts += [f"### {human.title}: every score", tables.whole(human, scores)]
    return "\n\n".join(parts)


if __name__ == "__main__":
    sys.exit(main())

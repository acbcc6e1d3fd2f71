"""Looks for inputs that break a target, guided by what code they reach (Atheris).

Usage: python tests/fuzz/fuzz.py TARGET [MINUTES] [WORK_FOLDER]

What it finds is written to WORK_FOLDER as crash-*; put a small one into corpus/TARGET, mend the
code, and the ordinary tests replay it from then on.
"""

import logging
import os
import sys
import time
import warnings
from pathlib import Path

import atheris

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    """Fuzz one target until its CPU minutes are spent."""
    name = sys.argv[1]
    minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 10.0
    work = Path(sys.argv[3] if len(sys.argv) > 3 else "test-results/fuzz") / name
    work.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    with atheris.instrument_imports(include=["easymodel_nb", "json"]):
        sys.path.insert(0, str(Path(__file__).parent))
        import targets

        target = targets.TARGETS[name]
        for seed in sorted((CORPUS / name).glob("*")):  # all imports happen while they are seen
            target(seed.read_bytes())

    def within(data: bytes) -> None:
        if time.process_time() > minutes * 60:  # of the CPU: a shared machine's clock says little
            said = f"{name}: {count[0]:,} inputs in {minutes:g} CPU minutes, nothing broke\n"
            sys.stdout.write(said)
            sys.stdout.flush()
            os._exit(0)
        count[0] += 1
        target(data)

    count = [0]
    options = [
        "-max_len=4096",
        "-timeout=60",
        "-rss_limit_mb=3000",
        f"-artifact_prefix={work}/",
        f"-dict={Path(__file__).with_name('words.dict')}",
        "-print_final_stats=1",
    ]
    (work / "found").mkdir(exist_ok=True)
    atheris.Setup([sys.argv[0], *options, str(work / "found"), str(CORPUS / name)], within)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

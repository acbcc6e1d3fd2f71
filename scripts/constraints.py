"""Write those versions of constraints.txt that can be had here, and say which can not.

A registry withdraws a version, or has no build of one for this Python. Left in, pip searches for
minutes and gives up; without it the ranges of pyproject.toml decide.
"""

import re
import subprocess
import sys
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
_MISSING = re.compile(r"^ERROR: No matching distribution found for (\S+?==\S+)", re.MULTILINE)


def main() -> int:
    """Write them to the file that is named."""
    target = Path(sys.argv[1])
    pins = [line for line in CONSTRAINTS.read_text().splitlines() if "==" in line]
    while gone := _first_missing(pins, target):
        print(f"{gone} is not to be had here: another version is taken")
        pins.remove(gone)
    target.write_text("".join(f"{pin}\n" for pin in pins))
    return 0


def _first_missing(pins: list[str], scratch: Path) -> str | None:
    """The first of them that no index has; what else is wrong, the installation will say."""
    scratch.write_text("\n".join(pin for pin in pins if not pin.startswith("torch==")))
    look = ["--dry-run", "--no-deps", "--ignore-installed", "--quiet", "-r", str(scratch)]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", *look]
    told = subprocess.run(pip, capture_output=True, text=True, check=False)
    found = _MISSING.search(told.stderr) if told.returncode else None
    return found[1] if found and found[1] in pins else None


if __name__ == "__main__":
    sys.exit(main())

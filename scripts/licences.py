"""Writes docs/licences.md: what is installed with the package and what is in its bundle.

Python packages as their metadata in this environment has them, with all that they bring; npm
packages as the lock file has them, those alone that are bundled.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "licences.md"
_LONGEST = 60


def main() -> None:
    """Write the page."""
    python = sorted(set(_python()), key=lambda row: row[0].lower())
    npm = sorted(set(_npm()))
    text = "\n".join(
        [
            "# Licences",
            "",
            "Made by `make licences`, of the versions that were tested together. Why each direct",
            "dependency is here stands in [dependencies.md](dependencies.md).",
            "",
            "## Installed with the package",
            "",
            *_table(python),
            "",
            "## In the JavaScript bundle",
            "",
            *_table(npm),
            "",
            "Their texts lie beside the bundle, in `THIRD_PARTY_NOTICES.txt`.",
            "",
        ]
    )
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(python)} Python packages, {len(npm)} npm packages")


def _table(rows: list[tuple[str, str]]) -> list[str]:
    return ["| package | licence |", "|---|---|", *(f"| {name} | {what} |" for name, what in rows)]


def _python() -> Iterator[tuple[str, str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    waiting = [Requirement(text).name for text in project["dependencies"]]
    seen: set[str] = set()
    while waiting:
        name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if name in seen or name.startswith("nvidia-"):  # those come with a GPU's build of torch
            continue
        seen.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            print(f"{name} is not installed here, and is left out", file=sys.stderr)
            continue
        yield found.metadata["Name"], _licence(found)
        for text in found.requires or ():
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                waiting.append(needed.name)


def _licence(found: Distribution) -> str:
    known = found.metadata.json
    said = str(known.get("license_expression") or "")
    if not said:
        classifiers = found.metadata.get_all("Classifier") or []
        names = [c.rsplit(" :: ", 1)[-1] for c in classifiers if c.startswith("License ::")]
        said = ", ".join(n for n in names if n != "OSI Approved")
    if not said:
        said = str(known.get("license") or "").strip().split("\n", 1)[0]
    if not said:
        return "see its page"
    return said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


def _npm() -> Iterator[tuple[str, str]]:
    lock = json.loads((ROOT / "src/easymodel_nb/js/package-lock.json").read_text(encoding="utf-8"))
    for path, known in lock["packages"].items():
        if path.startswith("node_modules/") and not (known.get("dev") or known.get("optional")):
            yield path.rpartition("node_modules/")[2], str(known.get("license", "see its page"))


if __name__ == "__main__":
    main()

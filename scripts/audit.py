"""Known vulnerabilities of what this is built on, where the network lets one ask.

`npm audit` for the packages that are bundled and those that build, `pip-audit` for the Python
environment. What fails is a high or critical advisory of a bundled package: that is what reaches a
user's page, in the version that was built here. Advisories of Python packages carry no severity,
and the user's own environment chooses their versions within our bounds: they are listed, and fail
with --strict alone. No network fails nothing, and is said.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
FAILING = frozenset({"high", "critical"})
_PATIENCE = 150.0  # seconds for each; a host that does not answer must not hold up the tests


class Found(NamedTuple):
    """One advisory."""

    package: str
    severity: str
    what: str
    fails: bool


def main() -> int:
    """Ask both, list what is known, and answer whether anything of it fails."""
    strict = "--strict" in sys.argv[1:]
    found: list[Found] = []
    for name, ask in (("npm audit", _npm), ("pip-audit", _pip)):
        try:
            known = ask(strict)
        except (OSError, ValueError, KeyError, subprocess.TimeoutExpired) as error:
            print(f"{name}: not asked, {_why(error)}")
            continue
        print(f"{name}: {len(known)} known advisories" if known else f"{name}: nothing known")
        found += known
    for entry in sorted(found, key=lambda entry: not entry.fails):
        mark = "FAILS" if entry.fails else "known"
        print(f"  {mark}  {entry.package} ({entry.severity}): {entry.what}")
    return 1 if any(entry.fails for entry in found) else 0


def _npm(strict: bool) -> list[Found]:  # noqa: FBT001  both are asked alike
    bundled = {name for name, _ in _npm_known(["--omit=dev"])}
    return [
        Found(
            name,
            entry["severity"],
            _titles(entry),
            fails=(name in bundled and entry["severity"] in FAILING) or strict,
        )
        for name, entry in _npm_known([])
    ]


def _npm_known(options: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    command = [sys.executable, str(ROOT / "hatch_build.py"), "audit", "--json", *options]
    answer = json.loads(_run(command, lambda out: out[out.index("{") :]))
    if "vulnerabilities" not in answer:
        raise OSError(str(answer.get("message") or answer.get("error") or "no answer"))
    yield from answer["vulnerabilities"].items()


def _titles(entry: dict[str, Any]) -> str:
    titles = [via["title"] for via in entry.get("via", []) if isinstance(via, dict)]
    return "; ".join(titles) or f"by way of {', '.join(map(str, entry.get('via', [])))}"


def _pip(strict: bool) -> list[Found]:  # noqa: FBT001
    options = ["--local", "--skip-editable", "--progress-spinner=off", "--format=json"]
    command = [sys.executable, "-m", "pip_audit", "--timeout=10", *options]
    answer = json.loads(_run(command, lambda out: out[out.index("{") :]))
    told = [package for package in answer["dependencies"] if "skip_reason" not in package]
    if not told:  # a mirror has the packages, and nothing on their vulnerabilities
        raise OSError("the package index in use knows nothing of vulnerabilities")
    if len(told) < len(answer["dependencies"]):
        print(f"pip-audit: {len(answer['dependencies']) - len(told)} packages could not be asked")
    return [
        Found(
            f"{package['name']} {package['version']}",
            "no severity",
            f"{known['id']}, mended in {', '.join(known['fix_versions']) or 'no version yet'}",
            fails=strict,
        )
        for package in told
        for known in package.get("vulns", [])
    ]


def _run(command: list[str], read: Callable[[str], str]) -> str:
    """What it printed; both end with 1 where something is known."""
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    if "{" not in done.stdout:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise OSError(said[-1] if said else f"it ended with {done.returncode}")
    return read(done.stdout)


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"the network did not answer within {_PATIENCE:.0f} seconds"
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else "no answer"


if __name__ == "__main__":
    sys.exit(main())

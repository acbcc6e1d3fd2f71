"""A real notebook server on a free port, cut off from the user's settings."""

import json
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any, Self
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from harness.waiting import until

_QUIET_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # The tests say when a notebook is saved.
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}


class JupyterServer:
    """JupyterLab, or classic Notebook, with its REST API."""

    def __init__(self, command: list[str], folder: Path, **environment: str) -> None:
        self.folder = folder
        self.notebooks = folder / "notebooks"
        self.home = folder / "home"
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self._command = [*command, *self._arguments()]
        self._environment = self._isolated() | environment
        self._process: subprocess.Popen[bytes] | None = None

    def _arguments(self) -> list[str]:
        return [
            "--no-browser",
            "--allow-root",
            f"--port={self.port}",
            "--port-retries=0",  # else it moves to another port without a word
            "--ip=127.0.0.1",
        ]

    def _isolated(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("JUPYTER", "IPYTHON"))}
        folders = {
            "JUPYTER_CONFIG_DIR": "config",
            "JUPYTER_DATA_DIR": "data",
            "JUPYTER_RUNTIME_DIR": "runtime",
            "JUPYTERLAB_SETTINGS_DIR": "settings",
            "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
            "IPYTHONDIR": "ipython",
            "EASYMODEL_HOME": "home",
            "HF_HOME": "huggingface",
        }
        return {
            **kept,
            **{name: str(self.folder / sub) for name, sub in folders.items()},
            "JUPYTER_PREFER_ENV_PATH": "1",
            "HF_HUB_OFFLINE": "1",
        }

    def __enter__(self) -> Self:
        self.notebooks.mkdir(parents=True)
        for name, values in _QUIET_SETTINGS.items():
            path = self.folder / "settings" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        return self.start()

    def start(self) -> Self:
        """Start it, or start it again on the same port, and wait until it answers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.notebooks,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(self._answers, f"answer from {' '.join(self._command)}; see {self.log}")
        return self

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"The server ended:\n{self.log.read_text()[-3000:]}")
        try:
            self.api("GET", "api")
        except OSError:
            return False
        return True

    def __exit__(self, *error: object) -> None:
        process = self._process
        if process is None:
            return
        # Kernels are not children that end with the server, so they are ended by name.
        for kernel in self.api("GET", "api/kernels"):
            self.api("DELETE", f"api/kernels/{kernel['id']}")
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def kill(self) -> None:
        """End it at once, as a crash does; its kernels notice and end as well."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    # ---------------------------------------------------------------- its API

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API; the JSON answer, or None when there is none."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"{self.url}/{path}", data=data, method=method)
        request.add_header("Content-Type", "application/json")
        with urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def write(self, name: str, *sources: str, kernel: str = "python3") -> str:
        """Write a notebook with these code cells; its name."""
        cells: list[dict[str, Any]] = [
            {
                "cell_type": "code",
                "id": f"cell-{index}",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": source,
            }
            for index, source in enumerate(sources)
        ]
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        metadata = {"kernelspec": spec}
        self.put(name, {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells})
        return name

    def add_kernel(self, name: str, python: Path) -> None:
        """Let notebooks have the kernel of another Python."""
        command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        path = self.folder / "data" / "kernels" / name / "kernel.json"
        path.parent.mkdir(parents=True)
        spec = {"argv": command, "display_name": name, "language": "python"}
        path.write_text(json.dumps(spec))

    def put(self, name: str, notebook: dict[str, Any]) -> None:
        """Write a whole notebook."""
        body = {"type": "notebook", "format": "json", "content": notebook}
        self.api("PUT", f"api/contents/{name}", body)

    def saved(self, name: str) -> str:
        """The text of a notebook as it is on disk."""
        return (self.notebooks / name).read_text(encoding="utf-8")

    def kernel_of(self, name: str) -> str:
        """The id of the kernel that runs a notebook."""
        sessions = self.api("GET", "api/sessions")
        return str(next(s["kernel"]["id"] for s in sessions if s["path"] == name))

    def restart_kernel(self, name: str) -> None:
        """Restart a notebook's kernel, as another tab or a crash would: the page is not asked."""
        self.api("POST", f"api/kernels/{self.kernel_of(name)}/restart")

    def close(self, name: str) -> None:
        """End a notebook's kernel and forget its session."""
        for session in self.api("GET", "api/sessions"):
            if session["path"] == name:
                try:
                    self.api("DELETE", f"api/sessions/{session['id']}")
                except HTTPError:  # the kernel was faster
                    continue


def lab(python: str, folder: Path, **environment: str) -> JupyterServer:
    """JupyterLab of that Python, with its application object open to the tests."""
    command = [
        python,
        "-m",
        "jupyterlab",
        "--expose-app-in-browser",
        "--IdentityProvider.token=",
        "--ServerApp.disable_check_xsrf=True",
    ]
    return JupyterServer(command, folder, **environment)


def classic(python: str, folder: Path, **environment: str) -> JupyterServer:
    """Classic Notebook 6 of that Python."""
    command = [
        python,
        "-m",
        "notebook",
        "--NotebookApp.token=",
        "--NotebookApp.disable_check_xsrf=True",
    ]
    return JupyterServer(command, folder, **environment)


def chromium() -> str | None:
    """The Chromium to drive; None means the one that Playwright downloaded."""
    if named := os.environ.get("EASYMODEL_CHROMIUM"):
        return named
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

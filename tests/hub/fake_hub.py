"""A Hub on this machine: the part of its HTTP API that the real clients speak.

Downloads stand here, what a push needs in `writing`.
Repositories with revisions, private and gated ones, large files behind a redirect to
another host, as the real one has them. The answers follow what huggingface.co sends.
"""

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

from listing import Listing, head_of, library_facts
from web import Answers, Files, Server, serving
from writing import LARGE, Account, Writing

TOKEN = "hf_" + "aBcD1234" * 4
_API = re.compile(r"/api/(models|datasets)/([\w.-]+/[\w.-]+)(?:/([\w-]+)/([^/]+)(?:/(.*))?)?$")
_RESOLVE = re.compile(r"/(datasets/)?([\w.-]+/[\w.-]+)/resolve/([^/]+)/(.+)$")


@dataclass
class Repo:
    """One repository; `revisions` maps a branch or tag to its files."""

    revisions: dict[str, dict[str, bytes]]
    private: bool = False
    gated: bool = False
    granted: set[str] = field(default_factory=set)  # tokens that may read it
    downloads: int = 0

    def put(self, files: dict[str, bytes]) -> None:
        """Make these the files of `main`, as a commit does."""
        self.revisions["main"] = files
        self.__dict__.pop("_commits", None)

    @cached_property
    def _commits(self) -> dict[str, str]:
        return {
            name: hashlib.sha1(repr(sorted(files.items())).encode()).hexdigest()
            for name, files in self.revisions.items()
        }

    def commit(self, revision: str) -> str | None:
        """The commit of a branch, a tag or a commit; None when there is none."""
        known = self._commits | {sha: sha for sha in self._commits.values()}
        return known.get(revision)

    def files(self, commit: str) -> dict[str, bytes]:
        """The files of a commit."""
        return next(f for name, f in self.revisions.items() if self.commit(name) == commit)


class Hub(Server):
    """Models and datasets by id, and the host that keeps the large files."""

    def __init__(self, cdn: Server) -> None:
        super().__init__(_Api)
        self.cdn = cdn
        self.models: dict[str, Repo] = {}
        self.datasets: dict[str, Repo] = {}
        self.accounts = {TOKEN: Account("someone", orgs=("a-team",))}
        self.commits: list[str] = []  # the repositories, one entry a commit
        self.ignores_private = False  # a new repository is public, whatever was asked
        self.damages = ""  # a file that loses its last byte in a commit
        self.silent_commits = False  # a commit is done, and its answer lost
        self.searches: list[tuple[str, dict[str, str]]] = []  # models or datasets, and the query
        self.failing = 0  # the status of every answer of the API, while it is set

    def add(self, name: str, files: dict[str, bytes], **more: Any) -> Repo:
        """A model repository with these files."""
        self.models[name] = Repo({"main": dict(files)}, **more)
        return self.models[name]

    def environment(self, cache: object) -> dict[str, str]:
        """What sends the real clients here, with a cache of their own."""
        return {"HF_ENDPOINT": self.url, "HF_HOME": str(cache), "HF_TOKEN": "", "NO_PROXY": "*"}


def git_oid(body: bytes) -> str:
    """The id git gives a file."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()


class _Api(Writing, Listing, Answers):
    server: Hub

    def do_GET(self) -> None:  # noqa: N802
        path = unquote(self.noted())
        if self.server.failing:
            self._fail(self.server.failing, "", "Something is wrong here")
            return
        if self._wrote(path) or self._listed(path):
            return
        if found := _RESOLVE.match(path):
            dataset, name, revision, file = found.groups()
            self._resolve("datasets" if dataset else "models", name, revision, file)
        elif found := _API.match(path):
            kind, name, action, revision, rest = found.groups()
            self._api(kind, name, action, revision, rest or "")
        else:
            self._fail(404, "", "Sorry, we can't find the page you are looking for.")

    def do_HEAD(self) -> None:  # noqa: N802
        self.do_GET()

    def do_POST(self) -> None:  # noqa: N802
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.do_GET()

    # -------------------------------------------------------- who may read what

    def _repo(self, kind: str, name: str) -> Repo | None:
        """The repository, or None after a refusal was sent."""
        token = self._token()
        known = token in self.server.accounts or token.startswith("hf_other")
        if token and not known:
            self._fail(401, "", "Invalid credentials in Authorization header")
            return None
        repo = (self.server.models if kind == "models" else self.server.datasets).get(name)
        if repo is None or (repo.private and token not in repo.granted):
            # The real one does not tell a stranger whether a repository is there.
            self._fail(404 if token else 401, "RepoNotFound", "Repository not found")
            return None
        return repo

    def _token(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _fail(self, status: int, code: str, message: str, commit: str = "") -> None:
        headers = {"X-Error-Message": message, "Content-Type": "application/json"}
        if commit:
            headers["X-Repo-Commit"] = commit
        if code:
            headers["X-Error-Code"] = code
        self.send(json.dumps({"error": message}).encode(), status, headers)

    # -------------------------------------------------------- the API

    def _api(self, kind: str, name: str, action: str | None, revision: str, rest: str) -> None:
        repo = self._repo(kind, name)
        if repo is None:
            return
        commit = repo.commit(revision or "main")
        if commit is None:
            self._fail(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        files = repo.files(commit)
        if action in {None, "revision"}:
            self._json(_info(name, commit, repo, files))
        elif action == "tree":
            deep = "recursive=true" in self.path.lower()
            self._json(_tree(files, rest.rstrip("/"), deep=deep))
        elif action == "paths-info":
            everything = {entry["path"]: entry for entry in _tree(files, "", deep=True)}
            self._json([everything[p] for p in self._asked() if p in everything])
        else:
            self._fail(404, "", "Not found")

    def _asked(self) -> list[str]:
        body = self.body.decode()
        if body.startswith("{"):
            asked = json.loads(body)["paths"]
            return [asked] if isinstance(asked, str) else asked
        pairs = (pair.split("=", 1) for pair in body.split("&"))
        return [unquote(value.replace("+", " ")) for key, value in pairs if key == "paths"]

    def _json(self, content: Any, status: int = 200) -> None:
        self.send(json.dumps(content).encode(), status, {"Content-Type": "application/json"})

    def _resolve(self, kind: str, name: str, revision: str, file: str) -> None:
        repo = self._repo(kind, name)
        if repo is None:
            return
        token = self._token()
        if repo.gated and token not in repo.granted:
            self._fail(403 if token else 401, "GatedRepo", f"Access to {name} is restricted.")
            return
        commit = repo.commit(revision)
        if commit is None:
            self._fail(404, "RevisionNotFound", f"Invalid rev id: {revision}")
            return
        body = repo.files(commit).get(file)
        if body is None:
            self._fail(404, "EntryNotFound", "Entry not found", commit)
            return
        headers = {"X-Repo-Commit": commit, "Accept-Ranges": "bytes"}
        if len(body) < LARGE:
            self.send(body, 200, headers | {"ETag": f'"{git_oid(body)}"'})
            return
        digest = hashlib.sha256(body).hexdigest()
        self.server.cdn.files[f"/{digest}"] = body
        headers |= {
            "X-Linked-Size": str(len(body)),
            "X-Linked-ETag": f'"{digest}"',
            # Another host by its name, as the real one has it: HEAD requests stay here.
            "Location": f"{self.server.cdn.url.replace('127.0.0.1', 'localhost')}/{digest}",
        }
        self.send(b"Found. Redirecting", 302, headers)


def _info(name: str, commit: str, repo: Repo, files: dict[str, bytes]) -> dict[str, Any]:
    siblings = []
    for path, body in files.items():
        sibling = {"rfilename": path, "size": len(body), "blobId": git_oid(body)}
        if len(body) >= LARGE:
            sibling["lfs"] = _lfs(body)
        siblings.append(sibling)
    return {
        "_id": commit[:24],
        "id": name,
        "modelId": name,
        "author": name.split("/", maxsplit=1)[0],
        "sha": commit,
        "private": repo.private,
        "gated": "auto" if repo.gated else False,
        "disabled": False,
        "downloads": 0,
        "likes": 0,
        "tags": _tags(files),
        **library_facts(files),
        "cardData": _card(files),
        "lastModified": "2026-01-01T00:00:00.000Z",
        "createdAt": "2026-01-01T00:00:00.000Z",
        "siblings": siblings,
    }


def _tags(files: dict[str, bytes]) -> list[str]:
    licence = (_card(files) or {}).get("license")
    return [f"license:{licence}"] if licence else []


def _card(files: dict[str, bytes]) -> dict[str, Any] | None:
    """The metadata at the head of README.md."""
    return head_of(files) or None


def _lfs(body: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}


def _entry(path: str, body: bytes) -> dict[str, Any]:
    entry = {"type": "file", "path": path, "size": len(body), "oid": git_oid(body)}
    if len(body) >= LARGE:
        known = _lfs(body)
        entry["lfs"] = {"oid": known["sha256"], "size": len(body), "pointerSize": 134}
    return entry


def _tree(files: dict[str, bytes], under: str, *, deep: bool) -> list[dict[str, Any]]:
    """The files and folders in a folder; those further down as well when `deep`."""
    prefix = f"{under}/" if under else ""
    entries: dict[str, dict[str, Any]] = {}
    for path, body in files.items():
        if not path.startswith(prefix):
            continue
        parts = path.removeprefix(prefix).split("/")
        for depth in range(1, len(parts)):
            folder = prefix + "/".join(parts[:depth])
            if deep or depth == 1:
                oid = git_oid(folder.encode())
                entries[folder] = {"type": "directory", "path": folder, "size": 0, "oid": oid}
        if deep or len(parts) == 1:
            entries[path] = _entry(path, body)
    return list(entries.values())


@contextlib.contextmanager
def fake_hub() -> Iterator[Hub]:
    """A Hub and the host of its large files that run meanwhile."""
    with serving(lambda: Server(Files)) as cdn, serving(lambda: Hub(cdn)) as hub:
        assert isinstance(hub, Hub)
        yield hub

"""What the Hub's lists and its looks at a model say: search, libraries, parameters, access."""

import json
import struct
from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import yaml

if TYPE_CHECKING:
    from fake_hub import Hub, Repo

_SUMMARY = ("architectures", "model_type")
_BY_DEFAULT = ("author", "downloads", "likes", "private", "tags", "pipeline_tag", "createdAt")


def library_facts(files: dict[str, bytes]) -> dict[str, Any]:
    """What the Hub reads off a model's files: a summary of its config, counted parameters."""
    found: dict[str, Any] = {}
    if config := files.get("config.json"):
        full = json.loads(config)
        # The real one keeps no more of it, so an encoder-decoder cannot be told by this.
        found["config"] = {name: full[name] for name in _SUMMARY if name in full}
        found["library_name"] = "transformers"
    counts: dict[str, int] = {}
    for name, body in files.items():
        if name.endswith(".safetensors"):
            try:
                (size,) = struct.unpack("<Q", body[:8])
                head = json.loads(body[8 : 8 + size])
            except (struct.error, ValueError):  # it has the name of weights and is none
                continue
            for tensor in (t for n, t in head.items() if n != "__metadata__"):
                counts[tensor["dtype"]] = counts.get(tensor["dtype"], 0) + prod(tensor["shape"])
    if counts:
        found["safetensors"] = {"parameters": counts, "total": sum(counts.values())}
    return found


def head_of(files: dict[str, bytes]) -> dict[str, Any]:
    """The metadata at the head of README.md."""
    text = files.get("README.md", b"").decode()
    return yaml.safe_load(text.split("---")[1]) if text.startswith("---\n") else {}


class Listing:
    """Answers /api/models?search=... and /api/models/NAME/auth-check."""

    server: "Hub"
    path: str
    _json: Callable[..., None]
    _fail: Callable[..., None]
    _repo: Callable[[str, str], "Repo | None"]
    _token: Callable[[], str]

    def _listed(self, path: str) -> bool:
        if path in {"/api/models", "/api/datasets"}:
            self._list(path.removeprefix("/api/"))
            return True
        if path.startswith("/api/") and path.endswith("/auth-check"):
            kind, name = path.removeprefix("/api/").removesuffix("/auth-check").split("/", 1)
            self._check(kind, name)
            return True
        return False

    def _check(self, kind: str, name: str) -> None:
        repo = self._repo(kind, name)
        if repo is None:
            return
        token = self._token()
        if repo.gated and token not in repo.granted:
            self._fail(403 if token else 401, "GatedRepo", f"Access to {name} is restricted.")
            return
        self._json({})

    def _list(self, kind: str) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        self.server.searches.append((kind, {name: values[-1] for name, values in asked.items()}))
        repos = self.server.models if kind == "models" else self.server.datasets
        text = asked.get("search", [""])[0].lower()
        hidden = (name for name, r in repos.items() if r.private and self._token() not in r.granted)
        found = [
            self._item(kind, name, repo, asked.get("expand"))
            for name, repo in repos.items()
            if text in name.lower() and name not in set(hidden)
        ]
        wanted = set(asked.get("filter", [])) | set(asked.get("pipeline_tag", []))
        found = [(marks, item) for marks, item in found if wanted <= marks]
        found.sort(key=lambda pair: -pair[1].get("downloads", 0))
        self._json([item for _, item in found[: int(asked.get("limit", ["1000"])[0])]])

    def _item(
        self, kind: str, name: str, repo: "Repo", expand: list[str] | None
    ) -> tuple[set[str], dict[str, Any]]:
        files = repo.revisions["main"]
        head = head_of(files)
        facts = library_facts(files)
        tags = [f"task_categories:{c}" for c in head.get("task_categories", [])]
        item = {
            **facts,
            "author": name.split("/", maxsplit=1)[0],
            "downloads": repo.downloads,
            "likes": 0,
            "private": repo.private,
            "gated": "auto" if repo.gated else False,
            "tags": [*tags, *([facts["library_name"]] if facts.get("library_name") else [])],
            "createdAt": "2026-01-01T00:00:00.000Z",
        }
        if kind == "models":
            item["pipeline_tag"] = head.get("pipeline_tag")
        marks = {*item["tags"], str(item.get("pipeline_tag"))}
        shown = expand or _BY_DEFAULT
        kept = {k: v for k, v in item.items() if k in shown and v is not None}
        return marks, {"_id": "0" * 24, "id": name, **kept}

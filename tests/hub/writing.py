"""The part of the Hub's HTTP API that the real client speaks to push a model.

Accounts with rights, new repositories, the upload of large files to another host, and the
commit that puts everything in place at once. The answers follow what huggingface.co sends.
"""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import yaml

LARGE = 1_000_000  # larger files are LFS: their etag is a sha256, their bytes lie elsewhere
ATTRIBUTES = {".gitattributes": b"*.safetensors filter=lfs diff=lfs merge=lfs -text\n"}
_PREUPLOAD = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/preupload/(.+)$")
_BATCH = re.compile(r"/([\w.-]+/[\w.-]+)\.git/info/lfs/objects/batch$")
_COMMIT = re.compile(r"/api/models/([\w.-]+/[\w.-]+)/commit/(.+)$")
_LICENCES = {"mit", "apache-2.0", "cc0-1.0", "cc-by-4.0", "other", "unknown"}


@dataclass(frozen=True)
class Account:
    """Who a token belongs to, and what it may do: `read`, `write`, or `fineGrained` (nothing)."""

    name: str
    role: str = "write"
    orgs: tuple[str, ...] = ()

    def may_write(self, owner: str) -> bool:
        return self.role == "write" and owner in {self.name, *self.orgs}

    def whoami(self) -> dict[str, Any]:
        return {
            "type": "user",
            "id": "66" * 12,
            "name": self.name,
            "fullname": self.name,
            "orgs": [{"type": "org", "name": org, "roleInOrg": "write"} for org in self.orgs],
            "auth": {
                "type": "access_token",
                "accessToken": {"displayName": "test", "role": self.role},
            },
        }


class Writing:
    """What a push asks for; mixed into the handler that answers downloads."""

    server: Any
    body: bytes

    def _wrote(self, path: str) -> bool:
        """Whether the path was one of ours, and is answered now."""
        if path == "/api/whoami-v2":
            account = self._account()
            if account is not None:
                self._json(account.whoami())
        elif path == "/api/repos/create":
            self._create(json.loads(self.body))
        elif path == "/api/validate-yaml":
            self._validate(json.loads(self.body)["content"])
        elif found := _PREUPLOAD.match(path):
            self._preupload(found[1], json.loads(self.body)["files"])
        elif found := _BATCH.match(path):
            self._batch(found[1], json.loads(self.body)["objects"])
        elif found := _COMMIT.match(path):
            self._commit(found[1], [json.loads(line) for line in self.body.splitlines()])
        else:
            return False
        return True

    def _account(self) -> Account | None:
        account = self.server.accounts.get(self._token())
        if account is None:
            self._fail(401, "", "Invalid credentials in Authorization header")
        return account

    def _writable(self, name: str) -> Any:
        """The repository when this token may write to it, else None after a refusal."""
        account = self._account()
        if account is None:
            return None
        repo = self.server.models.get(name)
        if repo is None:
            self._fail(404, "RepoNotFound", "Repository not found")
        elif not account.may_write(name.split("/", 1)[0]):
            self._fail(403, "", "Forbidden: you must use a write token to upload to a repository.")
        else:
            return repo
        return None

    def _create(self, asked: dict[str, Any]) -> None:
        account = self._account()
        if account is None:
            return
        owner = asked.get("organization") or account.name
        name = f"{owner}/{asked['name']}"
        private = bool(asked.get("private")) or asked.get("visibility") == "private"
        if not account.may_write(owner):
            self._fail(403, "", f"You don't have the rights to create a model under {owner}")
        elif name in self.server.models:
            self._fail(409, "", "You already created this model repo")
        else:
            private = private and not self.server.ignores_private
            tokens = {t for t, a in self.server.accounts.items() if owner in {a.name, *a.orgs}}
            self.server.add(name, ATTRIBUTES, private=private, granted=tokens)
            self._json({"url": f"{self.server.url}/{name}", "id": name})

    def _validate(self, content: str) -> None:
        errors = []
        card = yaml.safe_load(content.split("---")[1])
        if not isinstance(card, dict):
            errors.append("Metadata must be an object")
        elif card.get("license", "mit") not in _LICENCES:
            errors.append(f'"license" must be one of [{", ".join(sorted(_LICENCES))}]')
        elif not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", card.get("base_model", "a")):
            errors.append('"base_model" must be a model id')
        answer = {"errors": [{"message": e} for e in errors], "warnings": []}
        self._json(answer, 400 if errors else 200)

    def _preupload(self, name: str, files: list[dict[str, Any]]) -> None:
        if self._writable(name) is None:
            return
        modes = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["size"] >= LARGE else "regular",
                "shouldIgnore": False,
                "oid": None,
            }
            for file in files
        ]
        self._json({"files": modes, "commitOid": "0" * 40})

    def _batch(self, name: str, objects: list[dict[str, Any]]) -> None:
        if self._writable(name) is None:
            return
        answers = []
        for wanted in objects:
            answer = dict(wanted)
            if f"/{wanted['oid']}" not in self.server.cdn.files:
                answer["actions"] = {
                    "upload": {"href": f"{self.server.cdn.url}/{wanted['oid']}", "header": {}}
                }
            answers.append(answer)
        self._json({"transfer": "basic", "objects": answers})

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        repo = self._writable(name)
        if repo is None:
            return
        head, *operations = lines
        parent = head["value"].get("parentCommit")
        if parent is not None and parent != repo.commit("main"):
            self._fail(412, "", "A commit has happened since. Please refresh and try again.")
            return
        files = dict(repo.revisions["main"])
        for operation in operations:
            value = operation["value"]
            if operation["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif operation["key"] == "lfsFile":
                body = self.server.cdn.files.get(f"/{value['oid']}", b"")
                if hashlib.sha256(body).hexdigest() != value["oid"]:
                    self._fail(400, "", f"{value['path']} was not uploaded")
                    return
                files[value["path"]] = body
            else:
                del files[value["path"]]
        if self.server.damages:
            files = {n: b[:-1] if n == self.server.damages else b for n, b in files.items()}
        repo.put(files)
        self.server.commits.append(name)
        if self.server.silent_commits:  # the connection breaks before the answer
            self.close_connection = True
            self.connection.close()
            return
        oid = repo.commit("main")
        url = f"{self.server.url}/{name}/commit/{oid}"
        self._json({"success": True, "commitOid": oid, "commitUrl": url, "hookOutput": ""})

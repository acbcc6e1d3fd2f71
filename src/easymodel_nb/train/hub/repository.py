"""A repository on the Hugging Face Hub, and what a source names."""

import re
from dataclasses import dataclass
from typing import Literal

RepoType = Literal["model", "dataset"]
_ID = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_URL = re.compile(r"https?://[^/]+/(datasets/)?([\w.-]+(?:/[\w.-]+)?)(?:/tree/([^/?#]+))?/?$")


@dataclass(frozen=True)
class Repo:
    """A repository on the Hub at a revision."""

    id: str
    type: RepoType
    revision: str | None = None


def parse_repo(source: str, repo_type: RepoType, revision: str | None) -> Repo | None:
    """The repository a source names by id or Hub URL, or None when it names none."""
    text = source.strip()
    if text.startswith(("http://", "https://")):
        from huggingface_hub import constants  # noqa: PLC0415

        hosts = (constants.ENDPOINT, "https://huggingface.co", "https://hf.co")
        found = _URL.match(text)
        if found is None or not text.startswith(hosts):
            return None
        is_dataset = found.group(1) is not None
        if is_dataset != (repo_type == "dataset"):
            return None
        return Repo(found.group(2), repo_type, revision or found.group(3))
    if _ID.fullmatch(text):
        return Repo(text, repo_type, revision)
    return None

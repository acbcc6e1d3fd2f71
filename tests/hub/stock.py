"""A Hub with something of each kind on it: what a studio may find there."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fake_hub import TOKEN, Hub, Repo, fake_hub

from easymodel_nb import builtin

ROWS = [{"prompt": f"Say {n}:", "target": f" {n}."} for n in range(40)]
MODEL = "someone/tiny-model"


def model_files(**config: Any) -> dict[str, bytes]:
    """A small model, whose config may say something else."""
    folder = builtin.path("tiny-gpt2")
    files = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    files["config.json"] = json.dumps(json.loads(files["config.json"]) | config).encode()
    files["README.md"] = b"---\nlicense: mit\npipeline_tag: text-generation\n---\n# A model\n"
    return files


def encoder_files() -> dict[str, bytes]:
    """The same as an encoder."""
    kinds = {"architectures": ["BertForMaskedLM"], "model_type": "bert"}
    files = model_files(**kinds, is_decoder=False)
    files["README.md"] = b"---\nlicense: apache-2.0\npipeline_tag: fill-mask\n---\n"
    return files


def jsonl(rows: list[dict[str, Any]]) -> bytes:
    """Rows as a file."""
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


CONFIGS = b"""---
license: cc-by-4.0
task_categories: [text-generation]
configs:
- config_name: short
  data_files: short.jsonl
- config_name: long
  data_files: long.jsonl
---
"""
LARGE = b"""---
license: cc0-1.0
configs:
- config_name: default
  data_files:
  - {split: train, path: train.jsonl}
  - {split: test, path: test.jsonl}
dataset_info:
  config_name: default
  splits:
  - {name: train, num_examples: 300000}
  - {name: test, num_examples: 40}
---
"""


@contextmanager
def stocked_hub() -> Iterator[Hub]:
    """The Hub, as long as it is looked at."""
    with fake_hub() as server:
        server.add(MODEL, model_files(), downloads=500)
        server.add("someone/tiny-bert", encoder_files(), downloads=900)
        server.models[MODEL].revisions["v1"] = model_files()
        server.add("someone/gated-tiny", model_files(), gated=True, granted={TOKEN})
        server.add("someone/tiny-gguf", {"config.json": b"{}", "a.gguf": b"x" * 50})
        server.add("someone/adapter", {"adapter_config.json": b"{}", "adapter_model.bin": b"x"})
        server.add("someone/secret", model_files(), private=True, granted={TOKEN})
        server.datasets["someone/rows"] = Repo({"main": {"train.jsonl": jsonl(ROWS)}}, downloads=7)
        both = {"README.md": CONFIGS, "short.jsonl": jsonl(ROWS[:5]), "long.jsonl": jsonl(ROWS)}
        server.datasets["someone/several"] = Repo({"main": both})
        many = [*ROWS, *({"prompt": "More", "target": "x" * 1000} for _ in range(11_000))]
        large = {"README.md": LARGE, "train.jsonl": jsonl(many), "test.jsonl": jsonl(ROWS)}
        server.datasets["someone/large"] = Repo({"main": large})
        closed = {"main": {"train.jsonl": jsonl(ROWS)}}
        server.datasets["someone/gated-rows"] = Repo(closed, gated=True, granted={TOKEN})
        server.datasets["someone/scripted"] = Repo({"main": {"scripted.py": b"import os\n"}})
        yield server

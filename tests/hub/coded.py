"""A small model of an architecture of its own: two Python files, and weights that are new."""

import json
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from stock import model_files

CONFIGURATION = '''
"""The config of a model that Transformers does not know."""

from transformers import PreTrainedConfig


class CountingConfig(PreTrainedConfig):
    model_type = "counting-of-its-own"

    def __init__(self, vocab_size=512, hidden_size=16, max_position_embeddings=128, **more):
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.max_position_embeddings = max_position_embeddings
        self.num_hidden_layers = 1
        super().__init__(**more)
'''
MODELING = '''
"""A recurrent language model."""

import torch
from torch import nn
from transformers import GenerationMixin, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

from .configuration_counting import CountingConfig


class CountingForCausalLM(PreTrainedModel, GenerationMixin):
    config_class = CountingConfig
    base_model_prefix = "model"

    def __init__(self, config):
        super().__init__(config)
        self.embed = nn.Embedding(config.vocab_size, config.hidden_size)
        self.reads = nn.GRU(config.hidden_size, config.hidden_size, batch_first=True)
        self.mixes = nn.Linear(config.hidden_size, config.hidden_size)
        self.lm_head = nn.Linear(config.hidden_size, config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self):
        return self.embed

    def set_input_embeddings(self, value):
        self.embed = value

    def get_output_embeddings(self):
        return self.lm_head

    def set_output_embeddings(self, value):
        self.lm_head = value

    def forward(self, input_ids=None, attention_mask=None, labels=None, **more):
        CALLS
        states, _ = self.reads(self.embed(input_ids))
        return CausalLMOutput(logits=self.lm_head(self.mixes(states).tanh()))
'''
AUTO_MAP = {
    "AutoConfig": "configuration_counting.CountingConfig",
    "AutoModelForCausalLM": "modeling_counting.CountingForCausalLM",
}
# Run where the model's own files lie: no code of a test runs in the process of the tests.
_MAKE = """
import sys, types, torch
sys.path.insert(0, sys.argv[1])
package = types.ModuleType("own"); package.__path__ = [sys.argv[1]]; sys.modules["own"] = package
from own.modeling_counting import CountingForCausalLM, CountingConfig
torch.manual_seed(0)
config = CountingConfig(vocab_size=int(sys.argv[2]), use_cache=False)
CountingForCausalLM(config).save_pretrained(sys.argv[1] + "/made")
"""


@cache
def _made() -> dict[str, bytes]:
    """Its config and its weights, as `save_pretrained` writes them."""
    vocabulary = json.loads(model_files()["config.json"])["vocab_size"]
    with tempfile.TemporaryDirectory() as folder:
        for name, text in code_files().items():
            Path(folder, name).write_bytes(text)
        command = [sys.executable, "-c", _MAKE, folder, str(vocabulary)]
        subprocess.run(command, check=True, capture_output=True)
        made = Path(folder, "made")
        return {name: (made / name).read_bytes() for name in ("config.json", "model.safetensors")}


def code_files(first: str = "", comment: str = "", calls: str = "pass") -> dict[str, bytes]:
    """The two Python files; `first` runs when they are imported, `calls` at a forward."""
    modeling = f"{first}\n{MODELING.replace('CALLS', calls)}\n# {comment}\n"
    return {
        "configuration_counting.py": CONFIGURATION.encode(),
        "modeling_counting.py": modeling.encode(),
    }


def coded_files(
    first: str = "", comment: str = "", calls: str = "pass", **config: Any
) -> dict[str, bytes]:
    """The whole model as a repository holds it."""
    whole = model_files()
    kept = {name: whole[name] for name in ("tokenizer.json", "tokenizer_config.json", "README.md")}
    made = _made()
    told = json.loads(made["config.json"]) | {"auto_map": AUTO_MAP} | config
    return {
        **kept,
        "config.json": json.dumps(told).encode(),
        "model.safetensors": made["model.safetensors"],
        **code_files(first, comment, calls),
    }

"""Tokenizers of the same files share one vocabulary, and so what it has cut up before.

The BPE of `tokenizers` 0.23 keeps up to 10,000 words it has cut up in each thread that cut them,
under a number of that BPE's own, for as long as the thread lives; its pool of threads lives as
long as the process. A tokenizer that is loaded anew for each run would leave its words there,
megabytes a run where there are many cores. Tokenizers that share their BPE share the words.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_FILES = ("tokenizer*.json", "vocab.json", "merges.txt", "*tokens*.json", "*.model", "*.tiktoken")
_KEPT = 4  # vocabularies of up to 10 MB each

_known: OrderedDict[str, Any] = OrderedDict()
_lock = threading.Lock()


def share(tokenizer: Any, folder: Path, options: Mapping[str, Any]) -> Any:
    """The tokenizer, with the BPE of one that was opened before with these files and options."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    made = getattr(backend, "model", None)
    if backend is None or type(made).__name__ != "BPE":  # others keep what they cut themselves
        return tokenizer
    key = _key(tokenizer, folder, options)
    with _lock:
        _known[key] = _known.pop(key, made)
        backend.model = _known[key]
        while len(_known) > _KEPT:
            _known.popitem(last=False)
    return tokenizer


def _key(tokenizer: Any, folder: Path, options: Mapping[str, Any]) -> str:
    """What makes the vocabulary: the class that read the files, how, and what is in them."""
    kind = type(tokenizer)
    asked = f"{kind.__module__}.{kind.__qualname__} {sorted(options.items())}"
    read = hashlib.sha256(asked.encode())
    for path in sorted({path for pattern in _FILES for path in folder.glob(pattern)}):
        read.update(f"\n{path.name}\n".encode() + path.read_bytes())
    return read.hexdigest()

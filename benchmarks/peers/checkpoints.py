"""The models every peer starts from: made here, with a fixed seed, and the same for all.

The GPT-2s have random weights and a byte-level BPE trained on the rows; MiniLM and T5 come with
this package. All are float32 and without dropout, so that a loss is a matter of rows alone.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers.workloads import Workload

VOCABULARY = 8_192
_END, _PAD = "<|endoftext|>", "<|pad|>"


def make(workload: Workload, folder: Path) -> Path:
    """The model folder of a workload, below `folder`; made once."""
    place = folder / workload.model
    if place.exists():
        return place
    part = place.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    if workload.model.startswith("gpt2"):
        _gpt2(workload, part)
    elif workload.model.startswith("minilm"):
        _minilm(workload, part)
    else:
        from easymodel_nb import builtin  # noqa: PLC0415

        shutil.copytree(builtin.path(workload.model), part, dirs_exist_ok=True)
        (part / builtin.CARD).unlink()
    part.rename(place)
    return place


def _gpt2(workload: Workload, folder: Path) -> None:
    import torch  # noqa: PLC0415
    from tokenizers import ByteLevelBPETokenizer  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        GPT2Config,
        GPT2LMHeadModel,
        PreTrainedTokenizerFast,
    )

    bpe = ByteLevelBPETokenizer()
    bpe.train_from_iterator(_texts(workload), VOCABULARY, special_tokens=[_END, _PAD])
    make_tokenizer: Any = PreTrainedTokenizerFast
    tokenizer = make_tokenizer(
        tokenizer_object=bpe._tokenizer,  # noqa: SLF001  its own way to hand it over
        eos_token=_END,
        pad_token=_PAD,
        model_max_length=1024,
    )
    torch.manual_seed(0)
    config = GPT2Config(
        n_layer=4,
        n_embd=256,
        n_head=4,
        n_positions=1024,
        vocab_size=VOCABULARY,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _texts(workload: Workload) -> Iterator[str]:
    rows, _ = workload.rows()
    for row in rows:
        yield from (value for value in row.values() if isinstance(value, str))


def _minilm(workload: Workload, folder: Path) -> None:
    import torch  # noqa: PLC0415
    from transformers import (  # noqa: PLC0415
        AutoConfig,
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
        AutoTokenizer,
    )

    from easymodel_nb import builtin  # noqa: PLC0415

    source = builtin.path("minilm")
    names = labels(workload)
    config = AutoConfig.from_pretrained(
        source,
        num_labels=len(names),
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        classifier_dropout=0.0,
    )
    tagging = workload.kind == "tags"
    auto: Any = AutoModelForTokenClassification if tagging else AutoModelForSequenceClassification
    torch.manual_seed(0)
    auto.from_pretrained(source, config=config, dtype=torch.float32).save_pretrained(folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(source)
    tokenizer.save_pretrained(folder)


def labels(workload: Workload) -> list[str]:
    """The classes or tags of a workload, sorted."""
    found: set[str] = set()
    for row in (row for split in workload.rows() for row in split):
        found.update(row["tags"] if workload.kind == "tags" else [row["label"]])
    return sorted(found)

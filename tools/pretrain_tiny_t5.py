"""Pretrain tiny-t5, the small encoder-decoder that ships with easymodel-nb, on a processor.

python tools/pretrain_tiny_t5.py --corpus ../shared/corpus --work build/pretrain-t5 --minutes 90

needs torch, transformers, the corpus and the finished tiny-gpt2, whose tokenizer it takes over
(32 sentinels are added) and whose token embeddings it starts from. It

1. reads the corpus and keeps the same blocks out of training as tiny-gpt2 did,
2. trains on the three kinds of examples that `denoising.py` makes, with Muon for the hidden weights
   and AdamW for everything else; the learning rate follows the share of the time budget that is
   gone,
3. writes the model folder every few minutes, so that an early model can be used, and
4. measures the exported fp16 weights, read back as float32, on the held-out text, into
   `pretraining.json`, which `tools/make_model_card.py` turns into the card.

The order of the data and the first weights depend on `--seed` alone; the number of steps depends
on how much processor the budget buys, so two runs do not give identical weights.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

from pretraining import (
    BUILTIN,
    EOS,
    PAD,
    PARTS,
    SHARED,
    Hidden,
    Muon,
    export,
    lean_memory,
    rate_at,
    read_corpus,
    repeats,
    with_bits_per_byte,
)

# ruff: isort: split
import torch
from denoising import DENOISERS, Denoiser, Pair, Stream, passages
from safetensors.torch import load_file
from tokenizers import Tokenizer, processors
from torch.nn import functional
from transformers import (
    AutoModelForSeq2SeqLM,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)

SENTINELS = [f"<extra_id_{i}>" for i in range(32)]
LENGTH = 512  # what the tokenizer tells as the longest text; relative positions know no limit
IGNORED = -100  # the label of padding
EMBEDDING_SCALE = 2.5  # T5 wants embeddings of about unit variance, GPT-2 small ones


def make_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    """tiny-gpt2's byte-level BPE with sentinels; the end of text closes whatever is encoded."""
    backend = Tokenizer.from_file(str(folder / "tokenizer.json"))
    backend.add_special_tokens(SENTINELS)
    backend.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=False),
            processors.TemplateProcessing(
                single=f"$A {EOS}",
                pair=f"$A {EOS} $B {EOS}",
                special_tokens=[(EOS, backend.token_to_id(EOS))],
            ),
        ]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token=EOS,
        pad_token=PAD,
        extra_special_tokens=SENTINELS,
        model_max_length=LENGTH,
        padding_side="right",
        clean_up_tokenization_spaces=False,
    )


def make_model(
    args: argparse.Namespace, tokenizer: PreTrainedTokenizerFast
) -> T5ForConditionalGeneration:
    """Make a T5: no dropout (few passes), residual projections zero, embeddings of tiny-gpt2."""
    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=args.width,
        d_kv=args.width // args.heads,
        d_ff=args.inner,
        num_layers=args.layers,
        num_decoder_layers=args.decoder_layers,
        num_heads=args.heads,
        dropout_rate=0.0,
        feed_forward_proj="relu",
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,  # as T5 has it
        tie_word_embeddings=True,
    )
    torch.manual_seed(args.seed)
    model = T5ForConditionalGeneration(config)
    known = load_file(args.gpt2 / "model.safetensors")["transformer.wte.weight"].float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            kind = name.split(".")[-2]
            if kind in {"o", "wo"}:
                weight.zero_()
            elif kind in {"q", "k", "v", "wi"}:
                weight.normal_(0, 0.6 / weight.shape[1] ** 0.5)
                if kind == "q":  # T5 does not divide the products by the square root of their size
                    weight.mul_(config.d_kv**-0.5)
        model.shared.weight.normal_(0, known.std().item())
        model.shared.weight[: len(known)] = known
        model.shared.weight.mul_(EMBEDDING_SCALE)
    begin_to_copy(model)
    return model


@torch.no_grad()
def begin_to_copy(model: T5ForConditionalGeneration) -> None:
    """Begin with a circuit that copies, which so short a training hardly finds by itself.

    The first head of the encoder's first layer looks one token back and tells which one it saw.
    Two heads of the decoder's first cross-attention look for the places whose token before is the
    last one written, and give what stands there. (Mimetic initialization, arXiv:2305.09828, for
    induction heads, arXiv:2209.11895.) All of it is trained like everything else.
    """
    width, size = model.config.d_model, model.config.d_kv
    told, seen = torch.linalg.qr(torch.randn(width, 2 * size))[0].mT.split(size)
    back = model.encoder.block[0].layer[0].SelfAttention
    back.relative_attention_bias.weight[1, 0] = 6.0  # bucket 1: one token before
    back.v.weight[:size] = told
    back.o.weight[:, :size] = seen.mT
    cross = model.decoder.block[0].layer[1].EncDecAttention
    values = torch.linalg.qr(torch.randn(width, 2 * size))[0].mT
    for head in (slice(0, size), slice(size, 2 * size)):
        cross.q.weight[head] = told / 4  # equal tokens then have about 10 more than others
        cross.k.weight[head] = seen
    cross.v.weight[: 2 * size] = values
    cross.o.weight[:, : 2 * size] = 2 * values.mT


def hidden_weights(model: T5ForConditionalGeneration) -> list[Hidden]:
    """The 2-D weights between the embeddings."""
    found = []
    for name, weight in model.named_parameters():
        kind = name.split(".")[-2]
        if kind in {"q", "k", "v", "o", "wi", "wo"}:
            scale = model.config.d_kv**-0.5 if kind == "q" else 1.0
            found.append(Hidden(weight, outputs=0, scale=scale))
    return found


def collate(pairs: list[Pair], pad: int) -> dict[str, torch.Tensor]:
    """Pad sources and targets; padded labels are ignored."""
    sources = [torch.tensor(s) for s, _ in pairs]
    targets = [torch.tensor(t) for _, t in pairs]
    ids = torch.nn.utils.rnn.pad_sequence(sources, batch_first=True, padding_value=pad)
    labels = torch.nn.utils.rnn.pad_sequence(targets, batch_first=True, padding_value=IGNORED)
    return {"input_ids": ids, "attention_mask": (ids != pad).long(), "labels": labels}


def nats(model: T5ForConditionalGeneration, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Sum the negative log-likelihood of the targets, the end of text included."""
    logits = model(
        **{k: v for k, v in batch.items() if k != "labels"},
        use_cache=False,
        decoder_input_ids=model.prepare_decoder_input_ids_from_labels(batch["labels"]),
    ).logits
    return functional.cross_entropy(
        logits.flatten(0, 1), batch["labels"].flatten(), ignore_index=IGNORED, reduction="sum"
    )


@torch.no_grad()
def measure(
    model: T5ForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    held: dict[str, list[str]],
) -> dict[str, dict[str, dict[str, float]]]:
    """Bits per byte of the targets, by denoiser and part; the noise is seeded.

    The nats are those of every token of the target, the bytes those of its text: sentinels and the
    end of text cost, but count for no byte.
    """
    out = {}
    special = set(tokenizer.all_special_ids)
    for kind in DENOISERS:
        denoiser, draw = Denoiser(tokenizer, 1), random.Random(1)
        parts = {}
        for name, blocks in held.items():
            texts = [p for block in blocks for p in passages(block, draw)]
            pairs = sorted(denoiser.pairs(kind, texts), key=lambda p: len(p[0]) + len(p[1]))
            total = 0.0
            for at in range(0, len(pairs), 16):
                total += float(nats(model, collate(pairs[at : at + 16], tokenizer.pad_token_id)))
            targets = [token for _, target in pairs for token in target]
            plain = [token for token in targets if token not in special]
            parts[name] = {
                # a byte-level token is written with a letter for each of its bytes
                "bytes": sum(map(len, tokenizer.convert_ids_to_tokens(plain))),
                "tokens": len(targets),
                "nats": total,
            }
        out[kind] = with_bits_per_byte(parts)
    return out


def measure_shipped(
    out: Path, texts: dict[str, list[list[str]]], held: dict[str, list[str]]
) -> dict[str, object]:
    """Measure the weights as they lie in a folder; tell what they and the measuring read."""
    model = AutoModelForSeq2SeqLM.from_pretrained(out).eval()
    return {
        "train_bytes": {
            n: sum(len(p.encode()) + 2 for s in t for p in s) for n, t in texts.items()
        },
        "part_weights": {name: settings["weight"] for name, settings in PARTS.items()},
        "held_out": measure(model, AutoTokenizer.from_pretrained(out), held),
        "held_out_repeats": repeats(texts, held),
    }


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--corpus", type=Path, default=SHARED / "corpus")
    add("--gpt2", type=Path, default=BUILTIN / "tiny-gpt2", help="the folder of tiny-gpt2")
    add("--out", type=Path, default=BUILTIN / "tiny-t5")
    add("--work", type=Path, required=True, help="folder for the checkpoint and the log")
    add("--minutes", type=float, default=90)
    add("--export-minutes", type=float, default=5)
    add("--width", type=int, default=224)
    add("--inner", type=int, default=576)
    add("--layers", type=int, default=3)
    add("--decoder-layers", type=int, default=2)
    add("--heads", type=int, default=4)
    add("--micro", type=int, default=900, help="tokens of text in each denoiser's share of a step")
    add("--muon", type=float, default=0.02, help="peak learning rate of the hidden weights")
    add("--adam", type=float, default=0.015, help="peak learning rate of everything else")
    add("--threads", type=int, default=2)
    add("--seed", type=int, default=1)
    add("--measure", action="store_true", help="only measure what lies in --out, again")
    add("--trial", action="store_true", help="no export, a small evaluation")
    return parser.parse_args()


def main() -> None:  # noqa: PLR0915
    """Pretrain."""
    args = parse()
    begin = time.monotonic()
    lean_memory()
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    texts, held = read_corpus(args.corpus)
    told = args.out / "pretraining.json"
    if args.measure:
        result = json.loads(told.read_text()) | measure_shipped(args.out, texts, held)
        told.write_text(json.dumps(result, indent=2) + "\n")
        return
    tokenizer = make_tokenizer(args.gpt2)
    stream = Stream(Denoiser(tokenizer, args.seed), texts, args.micro, args.seed)
    model = make_model(args, tokenizer)
    size = sum(p.numel() for p in model.parameters())
    print(f"{size} parameters after {time.monotonic() - begin:.0f} s", flush=True)
    muon = Muon(hidden_weights(model))
    others = [p for p in model.parameters() if all(p is not q for q in muon.parameters)]
    adam = torch.optim.AdamW(others, lr=args.adam, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    defaults = {
        "decoder_start_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "do_sample": False,
    }
    model.train()

    reserve = 0 if args.trial else min(240, args.minutes * 6)  # for the export and the measuring
    budget = args.minutes * 60 - reserve - (0 if args.trial else time.monotonic() - begin)
    start = exported = time.monotonic()
    step = 0
    seen = {"source": 0, "target": 0}
    averages: dict[str, float] = {}
    log = []
    while (share := (time.monotonic() - start) / budget) < 1:
        batches = {kind: collate(stream.batch(kind), tokenizer.pad_token_id) for kind in DENOISERS}
        counts = {kind: int((b["labels"] != IGNORED).sum()) for kind, b in batches.items()}
        for kind, batch in batches.items():
            total = nats(model, batch)
            (total / sum(counts.values())).backward()
            loss = float(total.detach()) / counts[kind]
            averages[kind] = averages.get(kind, loss) * 0.98 + loss * 0.02
            seen["source"] += int(batch["attention_mask"].sum())
            seen["target"] += counts[kind]
        factor = rate_at(share)
        adam.param_groups[0]["lr"] = args.adam * factor
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        adam.step()
        muon.step(args.muon * factor)
        model.zero_grad(set_to_none=True)
        step += 1
        if step % 20 == 0:
            spent = time.monotonic() - start
            rounded = {kind: round(value, 4) for kind, value in averages.items()}
            log.append({"step": step, **seen, "seconds": round(spent, 1), "loss": rounded})
            pace = sum(seen.values()) / spent
            print(
                f"{step} {sum(seen.values()) / 1e6:.2f}M {spent:.0f}s {pace:.0f}/s",
                rounded,
                flush=True,
            )
        if not args.trial and time.monotonic() - exported > args.export_minutes * 60:
            export(model, tokenizer, args.out, defaults)
            torch.save({"model": model.state_dict(), "step": step}, args.work / "checkpoint.pt")
            exported = time.monotonic()
    seconds = time.monotonic() - start
    if args.trial:
        export(model, tokenizer, args.work / "trial", defaults)
        few = {name: [blocks[0][:6000]] for name, blocks in held.items()}
        scores = measure(model.eval(), tokenizer, few)
        print({kind: parts["all"]["bits_per_byte"] for kind, parts in scores.items()}, flush=True)
        return

    export(model, tokenizer, args.out, defaults)
    torch.save({"model": model.state_dict(), "step": step}, args.work / "checkpoint.pt")
    (args.work / "log.json").write_text(json.dumps(log))
    result = {
        "parameters": size,
        "steps": step,
        "tokens_seen": seen,
        "text_tokens_per_step": args.micro * len(DENOISERS),
        "passes_begun": stream.passes,
        "minutes": round(seconds / 60, 1),
        "threads": args.threads,
        "seed": args.seed,
        "peak_learning_rates": {"muon": args.muon, "adamw": args.adam},
        "last_average_training_loss": {k: round(v, 4) for k, v in averages.items()},
        **measure_shipped(args.out, texts, held),
    }
    told.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2), f"{(time.monotonic() - begin) / 60:.1f} minutes")


if __name__ == "__main__":
    main()

"""Pretrain tiny-gpt2, the small GPT-2 that ships with easymodel-nb, on two CPU cores.

python tools/pretrain_tiny_gpt2.py --shared ../shared --work build/pretrain --minutes 75

needs torch, transformers and the folder `corpus` of the project's shared material. It

1. reads the corpus and keeps contiguous blocks of every part (about 1 %) out of training,
2. trains a byte-level BPE tokenizer on the rest,
3. trains with Muon (2-D hidden weights) and fused AdamW (everything else); the learning rate
   follows the share of the time budget that is gone, so that it reaches zero whatever else the
   machine is doing,
4. writes the model folder every few minutes, so that an early model can be used, and
5. measures bits per byte of the exported fp16 weights, read back as float32, on the held-out text,
   into `pretraining.json`, which `tools/make_model_card.py` turns into the card.

The order of the data, the first weights and the tokenizer depend on `--seed` alone; the number of
steps depends on how much processor the budget buys, so two runs do not give identical weights.
"""

from __future__ import annotations

import argparse
import json
import math
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
    one_pass,
    rate_at,
    read_corpus,
    repeats,
    with_bits_per_byte,
)

# ruff: isort: split
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn import functional
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
)

POSITIONS = 512

# GPT-2's pattern, but runs of line feeds stay together, contractions may be capitals, and a digit
# stands alone.
PATTERN = (
    r"'(?:[sdmtSDMT]|ll|ve|re|LL|VE|RE)| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)

# The space after "Assistant:" belongs to the answer, as it does in the answer's first token.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{%- if message['role'] == 'assistant' -%}
{{- 'Assistant:' -}}
{%- generation -%}
{{- ' ' + message['content'] + eos_token -}}
{%- endgeneration -%}
{%- elif message['role'] == 'system' -%}
{{- 'System: ' + message['content'] + '\\n' -}}
{%- else -%}
{{- 'User: ' + message['content'] + '\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'Assistant:' -}}
{%- endif -%}
"""


def make_tokenizer(texts: dict[str, list[list[str]]], vocab: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE that knows every byte, so that no text is unknown."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[EOS, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )

    def stream() -> object:
        for name, stretches in texts.items():
            whole, part = divmod(PARTS[name]["weight"], 1)
            for repeat in range(math.ceil(PARTS[name]["weight"])):
                for stretch in stretches:
                    keep = len(stretch) if repeat < whole else int(len(stretch) * part)
                    yield "\n\n".join(stretch[:keep])

    tokenizer.train_from_iterator(stream(), trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=POSITIONS,
        padding_side="right",
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


class Documents:
    """Endless stream of token windows over shuffled documents of consecutive paragraphs."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerFast, texts: dict[str, list[list[str]]], seed: int
    ) -> None:
        """Tokenise every paragraph once."""
        self.random = random.Random(seed)
        backend = tokenizer.backend_tokenizer
        self.eos = tokenizer.eos_token_id
        self.joints = [backend.encode(joint).ids for joint in ("\n\n", "\n")]
        self.parts: dict[str, list[list[list[int]]]] = {}
        self.tokens: dict[str, int] = {}
        for name, stretches in texts.items():
            encoded = [
                [e.ids for e in backend.encode_batch(stretch)] for stretch in stretches if stretch
            ]
            self.parts[name] = encoded
            self.tokens[name] = sum(len(ids) for stretch in encoded for ids in stretch)
        sample = next(iter(texts.values()))[0][:9]
        joined = [
            token
            for ids in self._join(self.parts[next(iter(texts))][0][:9], self.joints[0])
            for token in ids
        ]
        if backend.encode("\n\n".join(sample)).ids != joined:
            message = "paragraphs tokenised apart differ from paragraphs tokenised together"
            raise AssertionError(message)
        self.passes = 0
        self.buffer: list[int] = []
        self.at = 0

    @staticmethod
    def _join(paragraphs: list[list[int]], joint: list[int]) -> list[list[int]]:
        out: list[list[int]] = []
        for paragraph in paragraphs:
            out += [paragraph, joint]
        return out[:-1]

    def _fill(self) -> None:
        for group, one_newline in one_pass(self.parts, self.random):
            joined = self._join(group, self.joints[one_newline])
            self.buffer += [token for ids in joined for token in ids]
            self.buffer.append(self.eos)
        self.passes += 1

    def windows(self, count: int, length: int) -> torch.Tensor:
        """Return windows of `length` + 1 tokens; each begins with the last token before it."""
        need = count * length + 1
        while self.at + need > len(self.buffer):
            self.buffer = self.buffer[self.at :]
            self.at = 0
            self._fill()
        flat = torch.tensor(self.buffer[self.at : self.at + need])
        self.at += count * length
        return flat.unfold(0, length + 1, length)


def hidden_weights(model: GPT2LMHeadModel) -> list[Hidden]:
    """The 2-D weights of the blocks; query, key and value are matrices of their own."""
    return [
        Hidden(layer.weight, outputs=1, pieces=3 if layer is block.attn.c_attn else 1)
        for block in model.transformer.h
        for layer in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj)
    ]


def make_model(args: argparse.Namespace, tokenizer: PreTrainedTokenizerFast) -> GPT2LMHeadModel:
    """Make a GPT-2: fused activation, no dropout (few passes), residual projections zero."""
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=POSITIONS,
        n_embd=args.width,
        n_layer=args.layers,
        n_head=args.heads,
        activation_function="gelu_pytorch_tanh",
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=tokenizer.eos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=True,
    )
    torch.manual_seed(args.seed)
    model = GPT2LMHeadModel(config)
    with torch.no_grad():
        for block in model.transformer.h:
            for layer in (block.attn.c_attn, block.mlp.c_fc):
                layer.weight.normal_(0, 0.6 / layer.weight.shape[0] ** 0.5)
            for layer in (block.attn.c_proj, block.mlp.c_proj):
                layer.weight.zero_()
        model.transformer.wte.weight.normal_(0, 0.03)
        model.transformer.wpe.weight.normal_(0, 0.01)
    return model


@torch.no_grad()
def nats(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, text: str
) -> tuple[float, int]:
    """Sum the negative log-likelihood of a text; count its tokens.

    Every token but the first 256 sees at least 256 before it.
    """
    ids = [tokenizer.eos_token_id, *tokenizer(text, verbose=False)["input_ids"]]
    total, done, stride = 0.0, 1, POSITIONS // 2
    for start in range(0, len(ids), stride):
        window = torch.tensor([ids[start : start + POSITIONS]])
        fresh = start + window.shape[1] - done
        if fresh <= 0:
            break
        logits = model(window).logits[0, -fresh - 1 : -1]
        total += float(functional.cross_entropy(logits, window[0, -fresh:], reduction="sum"))
        done += fresh
    return total, done - 1


def bits_per_byte(
    model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, held: dict[str, list[str]]
) -> dict[str, dict[str, float]]:
    """Bits per byte over the blocks of every part, and over all of them."""
    parts: dict[str, dict[str, float]] = {}
    for name, blocks in held.items():
        sums = [nats(model, tokenizer, block) for block in blocks]
        parts[name] = {
            "bytes": sum(len(block.encode()) for block in blocks),
            "tokens": sum(s[1] for s in sums),
            "nats": sum(s[0] for s in sums),
        }
    return with_bits_per_byte(parts)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=SHARED)
    parser.add_argument("--out", type=Path, default=BUILTIN / "tiny-gpt2")
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for the checkpoint and the log"
    )
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--export-minutes", type=float, default=3)
    parser.add_argument("--vocab", type=int, default=4096)
    parser.add_argument("--width", type=int, default=224)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--batch", type=int, default=4096, help="tokens of a step")
    parser.add_argument("--micro", type=int, default=4096, help="tokens of one forward pass")
    parser.add_argument(
        "--muon", type=float, default=0.02, help="peak learning rate of the hidden weights"
    )
    parser.add_argument(
        "--adam", type=float, default=0.005, help="peak learning rate of everything else"
    )
    parser.add_argument(
        "--long-at",
        type=float,
        default=0.55,
        help="share of the time after which windows are 512 long",
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--trial", action="store_true", help="no export, no final evaluation")
    return parser.parse_args()


def main() -> None:  # noqa: PLR0915
    """Pretrain."""
    args = parse()
    begin = time.monotonic()
    lean_memory()
    torch.set_num_threads(args.threads)
    args.work.mkdir(parents=True, exist_ok=True)
    texts, held = read_corpus(args.shared / "corpus")
    (args.work / "held_out.json").write_text(json.dumps(held, ensure_ascii=False))
    tokenizer = make_tokenizer(texts, args.vocab)
    print(f"tokenizer of {len(tokenizer)} after {time.monotonic() - begin:.0f} s", flush=True)
    data = Documents(tokenizer, texts, args.seed)
    train_bytes = {n: sum(len(p.encode()) + 2 for s in t for p in s) for n, t in texts.items()}
    print(
        "bytes",
        train_bytes,
        "tokens",
        data.tokens,
        f"after {time.monotonic() - begin:.0f} s",
        flush=True,
    )

    model = make_model(args, tokenizer)
    size = sum(p.numel() for p in model.parameters())
    print(f"{size} parameters", flush=True)
    muon = Muon(hidden_weights(model))
    others = [p for p in model.parameters() if all(p is not q for q in muon.parameters)]
    adam = torch.optim.AdamW(others, lr=args.adam, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
    ends = {"bos_token_id": tokenizer.eos_token_id, "eos_token_id": tokenizer.eos_token_id}
    defaults = {**ends, "pad_token_id": tokenizer.pad_token_id, "do_sample": False}
    model.train()

    reserve = (
        0 if args.trial else min(150, args.minutes * 6)
    )  # for the last export and the evaluation
    budget = args.minutes * 60 - reserve - (time.monotonic() - begin)
    if args.trial:
        budget = args.minutes * 60
    start = time.monotonic()
    step = tokens = 0
    lengths = {256: 0, 512: 0}
    average, exported, log = 0.0, start, []
    while (share := (time.monotonic() - start) / budget) < 1:
        length = 256 if share < args.long_at else POSITIONS
        total = 0.0
        for _ in range(args.batch // args.micro):
            window = data.windows(args.micro // length, length)
            hidden = model.transformer(window[:, :-1], use_cache=False).last_hidden_state
            logits = functional.linear(hidden.flatten(0, 1), model.transformer.wte.weight)
            loss = functional.cross_entropy(logits, window[:, 1:].reshape(-1)) * (
                args.micro / args.batch
            )
            loss.backward()
            total += float(loss.detach())
        factor = rate_at(share)
        adam.param_groups[0]["lr"] = args.adam * factor
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        adam.step()
        muon.step(args.muon * factor)
        model.zero_grad(set_to_none=True)
        step += 1
        tokens += args.batch
        lengths[length] += args.batch
        average = total if step == 1 else average * 0.98 + total * 0.02
        if step % 20 == 0:
            spent = time.monotonic() - start
            pace = tokens / spent
            log.append(
                {
                    "step": step,
                    "tokens": tokens,
                    "seconds": round(spent, 1),
                    "loss": round(average, 4),
                }
            )
            print(
                f"{step} {tokens / 1e6:.2f}M {spent:.0f}s {pace:.0f}/s loss {average:.4f}",
                flush=True,
            )
        if not args.trial and time.monotonic() - exported > args.export_minutes * 60:
            export(model, tokenizer, args.out, defaults)
            torch.save(
                {"model": model.state_dict(), "step": step, "tokens": tokens},
                args.work / "checkpoint.pt",
            )
            exported = time.monotonic()
    seconds = time.monotonic() - start
    if args.trial:
        model.eval()
        few = {name: [blocks[0][:6000]] for name, blocks in held.items()}
        print(f"{seconds:.0f} s, {tokens} tokens", bits_per_byte(model, tokenizer, few), flush=True)
        return

    export(model, tokenizer, args.out, defaults)
    torch.save(
        {"model": model.state_dict(), "step": step, "tokens": tokens}, args.work / "checkpoint.pt"
    )
    shipped = AutoModelForCausalLM.from_pretrained(args.out).eval()
    scores = bits_per_byte(shipped, AutoTokenizer.from_pretrained(args.out), held)
    result = {
        "parameters": size,
        "steps": step,
        "tokens_seen": tokens,
        "tokens_seen_by_length": lengths,
        "tokens_per_step": args.batch,
        "passes_begun": data.passes,
        "train_bytes": train_bytes,
        "train_tokens": data.tokens,
        "part_weights": {name: settings["weight"] for name, settings in PARTS.items()},
        "minutes": round(seconds / 60, 1),
        "threads": args.threads,
        "seed": args.seed,
        "peak_learning_rates": {"muon": args.muon, "adamw": args.adam},
        "last_average_training_loss": round(average, 4),
        "held_out": scores,
        "held_out_repeats": repeats(texts, held),
    }
    (args.out / "pretraining.json").write_text(json.dumps(result, indent=2) + "\n")
    (args.work / "log.json").write_text(json.dumps(log))
    print(
        json.dumps(result, indent=2),
        f"all in {(time.monotonic() - begin) / 60:.1f} minutes",
        flush=True,
    )


if __name__ == "__main__":
    main()

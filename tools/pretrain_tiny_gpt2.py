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
import contextlib
import ctypes
import json
import lzma
import math
import os
import random
import shutil
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

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

ROOT = Path(__file__).resolve().parent.parent
PAD, EOS = "<|pad|>", "<|endoftext|>"
POSITIONS = 512

# How often each part is read in one pass, against once for the novels: users' texts are modern,
# most of the corpus is not. `paragraphs` is the mean of the (geometric) number of consecutive
# paragraphs of a document, `blocks` the number of places from which held-out text is taken,
# `held_out` its share.
PARTS: dict[str, dict[str, float]] = {
    "novels": {"weight": 1.0, "paragraphs": 8, "blocks": 10, "held_out": 0.01},
    "speeches": {"weight": 2.5, "paragraphs": 3, "blocks": 3, "held_out": 0.012},
    "textbook": {"weight": 2.5, "paragraphs": 4, "blocks": 3, "held_out": 0.015},
    "stories": {"weight": 4.0, "paragraphs": 2, "blocks": 3, "held_out": 0.03},
}
LONGEST_DOCUMENT = 40  # paragraphs
ONE_NEWLINE = 0.25  # share of documents whose paragraphs are joined by one line feed instead of two

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


def read_part(shared: Path, name: str) -> list[str]:
    """Paragraphs of one part of the corpus."""
    text = lzma.decompress((shared / "corpus" / f"{name}.txt.xz").read_bytes()).decode("utf-8")
    return [stripped for paragraph in text.split("\n\n") if (stripped := paragraph.strip())]


def split_part(
    paragraphs: list[str], blocks: int, share: float
) -> tuple[list[list[str]], list[str]]:
    """Split into stretches to train on and held-out blocks, these spaced evenly."""
    sizes = [len(paragraph.encode()) + 2 for paragraph in paragraphs]
    total, wanted = sum(sizes), sum(sizes) * share / blocks
    starts = [total * (i + 0.5) / blocks for i in range(blocks)]
    train: list[list[str]] = [[]]
    held: list[list[str]] = []
    position, taking, taken = 0, False, 0.0
    for paragraph, size in zip(paragraphs, sizes, strict=True):
        if not taking and len(held) < blocks and position >= starts[len(held)]:
            taking, taken = True, 0.0
            held.append([])
        if taking:
            held[-1].append(paragraph)
            taken += size
            if taken >= wanted:
                taking = False
                train.append([])
        else:
            train[-1].append(paragraph)
        position += size
    return train, ["\n\n".join(block) for block in held]


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
        documents: list[list[int]] = []
        for name, stretches in self.parts.items():
            mean = PARTS[name]["paragraphs"]
            whole, part = divmod(PARTS[name]["weight"], 1)
            for repeat in range(math.ceil(PARTS[name]["weight"])):
                for stretch in stretches:
                    at = 0 if name == "stories" else -self.random.randrange(4)
                    while at < len(stretch):
                        if name == "stories":
                            count = 2  # a title and its story
                        else:
                            draw = math.log(1 - self.random.random()) / math.log(1 - 1 / mean)
                            count = min(LONGEST_DOCUMENT, 1 + int(draw))
                        group = stretch[max(at, 0) : at + count]
                        at += count
                        if not group or (repeat >= whole and self.random.random() > part):
                            continue
                        joint = self.joints[self.random.random() < ONE_NEWLINE]
                        documents.append(
                            [t for ids in self._join(group, joint) for t in ids] + [self.eos]
                        )
        self.random.shuffle(documents)
        for document in documents:
            self.buffer += document
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


def orthogonal(matrices: torch.Tensor) -> torch.Tensor:
    """Return nearly half-orthogonal matrices, after five Newton-Schulz steps in float32."""
    x = matrices / (matrices.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        a = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(a, a, a, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return x


class Muon:
    """Muon for the 2-D weights of a GPT-2: query, key and value are taken as matrices of their own.

    torch.optim.Muon works in bfloat16, slow on most processors, and matrix by matrix; here equal
    shapes are stacked and stay in float32.
    """

    def __init__(self, model: GPT2LMHeadModel, momentum: float = 0.95, decay: float = 0.02) -> None:
        """Collect views of the weights, each with no more rows than columns."""
        self.momentum, self.decay = momentum, decay
        self.parameters: list[torch.nn.Parameter] = []
        groups: dict[tuple[int, int], list[tuple[int, int, int, bool, float]]] = {}
        for block in model.transformer.h:
            for layer in (block.attn.c_attn, block.attn.c_proj, block.mlp.c_fc, block.mlp.c_proj):
                rows, columns = layer.weight.shape  # Conv1D: (in, out)
                pieces = 3 if layer is block.attn.c_attn else 1
                width = columns // pieces
                scale = max(1.0, width / rows) ** 0.5
                turned = rows > width
                shape = (width, rows) if turned else (rows, width)
                index = len(self.parameters)
                self.parameters.append(layer.weight)
                for piece in range(pieces):
                    groups.setdefault(shape, []).append(
                        (index, piece * width, width, turned, scale)
                    )
        self.groups = list(groups.values())
        self.buffers = [torch.zeros(len(g), *shape) for shape, g in groups.items()]

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step."""
        for members, buffer in zip(self.groups, self.buffers, strict=True):
            gradients = []
            for index, start, width, turned, _ in members:
                piece = self.parameters[index].grad[:, start : start + width]
                gradients.append(piece.mT if turned else piece)
            gradient = torch.stack(gradients)
            buffer.lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp_(buffer, self.momentum))
            for (index, start, width, turned, scale), delta in zip(members, update, strict=True):
                weight = self.parameters[index].data[:, start : start + width]
                weight.mul_(1 - rate * self.decay).add_(
                    delta.mT if turned else delta, alpha=-rate * scale
                )


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


def export(model: GPT2LMHeadModel, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write the model folder: each file complete in a folder beside it, then moved into place."""
    temporary = out.with_name(f".{out.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    half = GPT2LMHeadModel(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(temporary)
    tokenizer.save_pretrained(temporary)
    if (
        template := temporary / "chat_template.jinja"
    ).exists():  # one file fewer: into tokenizer_config.json
        template.unlink()
    settings = json.loads((temporary / "tokenizer_config.json").read_text())
    settings["chat_template"] = CHAT_TEMPLATE
    settings["tokenizer_class"] = "PreTrainedTokenizerFast"  # known before and since transformers 5
    for key in ("is_local", "backend"):
        settings.pop(key, None)
    (temporary / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    config = json.loads((temporary / "config.json").read_text())
    config.pop("torch_dtype", None)
    config["dtype"] = "float32"  # what from_pretrained gives; the file holds half of each number
    (temporary / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    defaults = {"bos_token_id": config["bos_token_id"], "eos_token_id": config["eos_token_id"]}
    defaults |= {"pad_token_id": config["pad_token_id"], "do_sample": False}
    (temporary / "generation_config.json").write_text(json.dumps(defaults, indent=2) + "\n")
    out.mkdir(parents=True, exist_ok=True)
    for file in sorted(temporary.iterdir()):
        file.chmod(0o644)
        file.replace(out / file.name)
    temporary.rmdir()


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
    out: dict[str, dict[str, float]] = {}
    for name, blocks in held.items():
        sums = [nats(model, tokenizer, block) for block in blocks]
        size = sum(len(block.encode()) for block in blocks)
        total = sum(s[0] for s in sums)
        out[name] = {
            "bytes": size,
            "tokens": sum(s[1] for s in sums),
            "nats": total,
            "bits_per_byte": 0.0,
        }
    everything = {
        key: sum(part[key] for part in out.values()) for key in ("bytes", "tokens", "nats")
    }
    out["all"] = {**everything, "bits_per_byte": 0.0}
    for part in out.values():
        part["bits_per_byte"] = round(part["nats"] / math.log(2) / part["bytes"], 4)
        part["nats"] = round(part["nats"], 1)
    return out


def repeats(
    texts: dict[str, list[list[str]]], held: dict[str, list[str]], length: int = 60
) -> dict[str, dict[str, int]]:
    """Count the stretches of held-out text that stand word for word in the text to train on."""
    everything = "\n\n".join("\n\n".join(s) for stretches in texts.values() for s in stretches)
    out = {}
    for name, blocks in held.items():
        paragraphs = [p for block in blocks for p in block.split("\n\n")]
        pieces = [p[i : i + length] for p in paragraphs for i in range(0, len(p), length)]
        whole = [piece for piece in pieces if len(piece) == length]
        found = sum(piece in everything for piece in whole)
        out[name] = {"characters": length, "stretches": len(whole), "in_training": found}
    return out


def rate_at(share: float) -> float:
    """Give the learning rate over its peak: up in 1 %, flat to 30 %, then straight down to zero."""
    return min(1.0, share / 0.01, (1 - share) / 0.7)


def lean_memory() -> None:
    """Keep large blocks of memory between steps instead of giving them back (glibc only)."""
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 1 << 30)  # M_TRIM_THRESHOLD


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = os.environ.get("EASYMODEL_SHARED", str(ROOT.parent / "shared"))
    parser.add_argument("--shared", type=Path, default=Path(shared))
    parser.add_argument(
        "--out", type=Path, default=ROOT / "src" / "easymodel_nb" / "builtin" / "tiny-gpt2"
    )
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
    texts: dict[str, list[list[str]]] = {}
    held: dict[str, list[str]] = {}
    for name, settings in PARTS.items():
        texts[name], held[name] = split_part(
            read_part(args.shared, name), int(settings["blocks"]), settings["held_out"]
        )
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
    muon = Muon(model)
    others = [p for p in model.parameters() if all(p is not q for q in muon.parameters)]
    adam = torch.optim.AdamW(others, lr=args.adam, betas=(0.9, 0.95), weight_decay=0.0, fused=True)
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
            export(model, tokenizer, args.out)
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

    export(model, tokenizer, args.out)
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

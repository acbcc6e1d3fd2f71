"""What a perplexity is besides: nats per token and bits per byte.

Bits per byte, sum of NLL / (ln 2 * UTF-8 bytes of what is scored), is the unit that compares
across tokenizers (Gao et al. 2020, "The Pile"); 8 / bits per byte is the rate at which the model
would compress the text. All intervals resample texts.
"""

import math

from easymodel_nb.measured import Measured
from easymodel_nb.metrics.perplexity import Perplexity
from easymodel_nb.metrics.stats import measured, ratio_interval

LOSS = "nats per token"
BITS = "bits per byte"
_NOTHING = "Nothing was scored."


def loss(found: Perplexity) -> Measured:
    """Mean NLL with its interval: the logarithms of the perplexity's."""
    if found.loss is None:
        return Measured.missing(found.reason or _NOTHING, n=found.n, unit=LOSS)
    low, high = (None if bound is None else math.log(bound) for bound in (found.low, found.high))
    return measured(found.loss, (low, high), found.n or 0, unit=LOSS)


def bits_per_byte(found: Perplexity, *, seed: int = 0) -> Measured:
    """Bits per byte with its interval over texts."""
    value = found.bits_per_byte
    if value is None:
        return Measured.missing(found.reason or _NOTHING, n=found.n, unit=BITS)
    bits = [nll / math.log(2) for nll, _ in found.per_text]
    sizes = [float(size) for size in found.bytes_by_text]
    bounds = ratio_interval(bits, sizes, seed=seed) or (None, None)
    return measured(value, bounds, found.n or 0, unit=BITS)

"""The first import of the trainer, by one thread at a time.

transformers puts another module in its own place when its import ends: a thread that waited for
that import goes on with the old one, which has none of its names (ImportError: cannot import
name). An audit, a fit check and a run may all begin in one moment, so each comes through here.
"""

import os
import threading

_LOCK = threading.Lock()
_HUB_LOCK = threading.Lock()
PARTS = 6  # of the import of the trainer, a second or less each
_done = 0


def import_hub() -> None:
    """Import what asks the Hub, and no more: it does not wait for a trainer under way."""
    with _HUB_LOCK:
        # Read once, at its import: requests then do not list what else is installed here.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from huggingface_hub import HfApi, hf_hub_download  # noqa: F401, PLC0415


def import_datasets() -> None:
    """Import what reads data, and what keeps it quiet; PyTorch is not among it."""
    import_hub()
    with _LOCK:
        import datasets  # noqa: F401, PLC0415
        from transformers.utils import logging  # noqa: F401, PLC0415


def import_trainer() -> None:
    """Import everything that takes seconds; returns at once when it is here already."""
    import_hub()
    with _LOCK:
        import datasets  # noqa: F401, PLC0415

        _say_done(1)
        import torch  # noqa: F401, PLC0415

        _say_done(2)
        import accelerate  # noqa: F401, PLC0415

        _say_done(3)
        from transformers import AutoModelForCausalLM  # noqa: F401, PLC0415

        _say_done(4)
        from transformers import Trainer  # noqa: F401, PLC0415

        _say_done(5)
        from easymodel_nb.train import attempt  # noqa: F401, PLC0415

        _say_done(PARTS)


def parts_done() -> int:
    """How many of its parts are here, whoever imports them."""
    return _done


def _say_done(count: int) -> None:
    global _done  # noqa: PLW0603  one process has one state of imports
    _done = max(_done, count)

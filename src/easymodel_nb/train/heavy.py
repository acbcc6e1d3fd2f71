"""The first import of the trainer, by one thread at a time.

transformers puts another module in its own place when its import ends: a thread that waited for
that import goes on with the old one, which has none of its names (ImportError: cannot import
name). An audit, a fit check and a run may all begin in one moment, so each comes through here.
"""

import threading

_LOCK = threading.Lock()


def import_trainer() -> None:
    """Import everything that takes seconds; returns at once when it is here already."""
    with _LOCK:
        import datasets  # noqa: F401, PLC0415
        from transformers import AutoModelForCausalLM, Trainer  # noqa: F401, PLC0415

        from easymodel_nb.train import attempt  # noqa: F401, PLC0415

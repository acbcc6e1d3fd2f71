"""From the click on Train to the first step, through the studio of a real kernel."""

import json
import tempfile
from pathlib import Path
from typing import Any

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

_HERE = Path(__file__).parent
_PATIENCE = 900
_OPEN = """
import json, sys
sys.path.insert(0, {folder!r})
import easymodel
studio = easymodel.studio(home={home!r})
import probe
"""
# An edit that changes nothing of the base model: its baseline stays the same.
_WARM = "(probe.warmed(studio, weight_decay={}), probe.click(studio))[1]"


def measure() -> dict[str, Any]:
    """A kernel that never trained; then it trains again, and again once all is warm."""
    with tempfile.TemporaryDirectory(prefix="easymodel-start-") as name:
        folder = Path(name)
        manager, client = start_new_kernel()
        try:
            _run(client, _OPEN.format(folder=str(_HERE), home=str(folder / "home")))
            return {
                "cold": _told(client, folder, "probe.click(studio)"),
                "modules": _told(client, folder, "probe.click(studio)"),
                "warm": _told(client, folder, _WARM.format(0.01)),
                "warm_again": _told(client, folder, _WARM.format(0.02)),
            }
        finally:
            client.stop_channels()
            manager.shutdown_kernel(now=True)


def _told(client: BlockingKernelClient, folder: Path, expression: str) -> Any:
    path = folder / "told.json"
    code = f"open({str(path)!r}, 'w').write(json.dumps({expression})); None"
    _run(client, code)
    return json.loads(path.read_text())


def _run(client: BlockingKernelClient, code: str) -> None:
    reply = client.execute_interactive(
        code, timeout=_PATIENCE, store_history=False, output_hook=lambda _: None
    )
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"].get("traceback", [])))

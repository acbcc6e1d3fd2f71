"""The private entry point of `ProcessRunner`: runs one folder, reads the token from stdin."""

import json
import signal
import sys
from pathlib import Path

from easymodel_nb.redaction import hold
from easymodel_nb.secrets import TokenHolder
from easymodel_nb.train.control import Control
from easymodel_nb.train.engine import execute


def main(folder: Path) -> None:
    """Run the folder to its end."""
    holder = TokenHolder()
    holder.type_in(sys.stdin.readline())
    hold(json.loads(sys.stdin.readline() or "{}"))
    control = Control(folder)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: control.stop("signal"))
    execute(folder, control, token=holder.token, redact=holder.redact)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

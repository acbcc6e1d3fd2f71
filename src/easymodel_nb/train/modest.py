"""Work that nobody waits for leaves the machine to what somebody does."""

import logging
import os
import sys
import threading

_log = logging.getLogger(__name__)
_NICENESS = 10


def be_modest() -> None:
    """Let the operating system prefer every other thread to this one, where it knows threads."""
    if sys.platform == "linux":
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
        except OSError:
            _log.debug("the priority of %s stays", threading.current_thread().name)

"""Audits in HOME/cache/audits, so that a studio that is opened again shows them at once."""

import contextlib
import logging
import time
from pathlib import Path

from pydantic import ValidationError

from easymodel_nb import whole
from easymodel_nb.train.auditing.audited import Audit

_MOST = 200
_DAY = 86_400.0

_log = logging.getLogger(__name__)


class AuditStore:
    """One file an audit, named by its key; safe to delete at any time."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "cache" / "audits"

    def read(self, key: str, *, remote: bool) -> Audit | None:
        """A kept audit; of what lies on the network, one of the last day."""
        path = self._folder / f"{key}.json"
        try:
            if remote and time.time() - path.stat().st_mtime > _DAY:
                return None
            return Audit.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, ValidationError):
            return None

    def write(self, key: str, audit: Audit) -> None:
        """Keep an audit; where that cannot be, it is made again."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            whole.replace(self._folder / f"{key}.json", audit.model_dump_json(), shared=True)
            self._prune()
        except OSError as error:
            _log.warning("An audit is not kept: %s", error)

    def _prune(self) -> None:
        kept = []
        for path in self._folder.glob("*.json"):
            with contextlib.suppress(OSError):
                kept.append((path.stat().st_mtime, path))
        for _, path in sorted(kept, reverse=True)[_MOST:]:
            path.unlink(missing_ok=True)

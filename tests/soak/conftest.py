"""What takes longer than a gate may; shared with the short forms, which lie in their folders."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in ("crash", "training", "unit"))]

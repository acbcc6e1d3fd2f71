"""The search for secrets, the local Hub, the session that is searched."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "hub")]  # searching, session; fake_hub

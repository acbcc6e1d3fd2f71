"""A Hub of this machine for the tests that only ask it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # fake_hub

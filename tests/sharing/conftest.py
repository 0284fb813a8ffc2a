"""Test folders are no packages (import mode importlib), so what these tests share is found by its folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

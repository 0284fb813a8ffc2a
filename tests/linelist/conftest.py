"""Makers of files, shared by the tests of reading."""

import importlib.util
import sys
from pathlib import Path

# Test folders are no packages (import mode importlib), so the makers are loaded by path.
_spec = importlib.util.spec_from_file_location("files", Path(__file__).with_name("files.py"))
files = sys.modules["files"] = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(files)

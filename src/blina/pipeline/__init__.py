"""Notebooks in order, side by side and all or nothing: papermill runs them, nbval checks what they recorded."""

import sys

# jsonschema, behind every reading of a notebook, spends a second on this optional grammar; no notebook uses it.
sys.modules.setdefault("rfc3987_syntax", None)

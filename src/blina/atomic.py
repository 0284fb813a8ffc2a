"""Files written whole or not at all: what was there is replaced only by what is complete."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

Content = str | bytes | Callable[[Path], Any]


def write_whole(path: Path, content: Content) -> None:
    """Write one file; if that fails, a file that was there stays as it was.

    `content` is text (written as UTF-8, its line ends kept), bytes, or a function that writes the
    file at the path it is given. Raises what writing raises (OSError, or an error of the function).
    """
    write_all({path: content})


def write_all(files: Mapping[Path, Content]) -> list[Path]:
    """Write several files, each as `write_whole` does; gives their paths.

    Files that were there are replaced only once all are written. Nothing is left of those that were
    begun when one of them fails.
    """
    parts = {path: path.with_name(f".{path.name}.part") for path in files}
    try:
        for path, content in files.items():
            _write(parts[path], content)
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
    return list(files)


def _write(path: Path, content: Content) -> None:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8", newline="")
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        content(path)

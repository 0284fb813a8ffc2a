"""YAML as its author typed it: every value stays text, a key stands once, and each value knows its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import yaml

Path_ = tuple[str | int, ...]
SYNTAX = {  # the parser's words for the mistakes that people make, and what to do
    "character '\\t'": "this line has a tab: indent with spaces",
    "<block end>": "this line is indented otherwise than its neighbours above",
    "',' or '}'": "look for a brace that is not closed, here or in the line before",
    "',' or ']'": "look for a bracket that is not closed, here or in the line before",
    "mapping values are not allowed": "put a text with a colon in quotation marks",
}
FULL_WIDTH_COLON = "a colon here is full-width （：）: write : and a blank behind it"
DEEPEST = 40  # levels of nesting; no file that a person wrote comes near


class FileError(Exception):
    """A file that cannot be used. The message is one line: file, place, what is wrong, what to do."""


@dataclass
class Typed:
    """The content of a YAML text, and the line (from 1) on which the value at each path of keys and indices stands."""

    name: str
    content: object
    lines: dict[Path_, int] = field(default_factory=dict)

    def line(self, path: Path_) -> int:
        """Line of the value at `path`, or of the nearest thing that contains it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: Path_, message: str) -> FileError:
        return FileError(f"{self.name}, line {self.line(path)}: {message}")


def read_text(path: Path, what: str, may_be_empty: bool = False) -> str:
    """Text of a UTF-8 file; FileError in one line where it is missing, a folder, empty, unreadable or not UTF-8."""
    name = path.name or str(path)
    if path.is_dir():
        raise FileError(f"{name} is a folder, not a {what}: name the file in it")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise FileError(f"there is no {what} {name} in {_folder(path)}: check the name and the folder") from None
    except UnicodeDecodeError:
        raise FileError(f"{name} is not UTF-8 text: save the {what} as UTF-8 and run again") from None
    except OSError as error:
        raise FileError(f"{name} cannot be read ({error.strerror}): check its permissions") from None
    if not text.strip() and not may_be_empty:
        raise FileError(f"{name} is empty: it should be a {what}")
    return text


def _folder(path: Path) -> str:
    return f"the folder {path.parent.name}" if path.parent.name else "this folder"


def load_yaml(path: Path, what: str) -> Typed:
    """A YAML file as typed; FileError where it cannot be read or is not YAML."""
    return parse_yaml(read_text(path, what), path.name)


def parse_yaml(text: str, name: str) -> Typed:
    """A YAML text as typed: mappings, lists and strings. FileError for a syntax error or a key that stands twice."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        said = next((words for part, words in SYNTAX.items() if part in (error.problem or "")), "")
        if colon := _full_width_colon(text, line):
            line, said = colon, FULL_WIDTH_COLON
        problem = f"{error.problem}; {said}" if said else error.problem
        raise FileError(f"{name}, line {line}: not valid YAML ({problem})") from None
    except RecursionError:
        raise FileError(f"{name}: nested more than {DEEPEST} levels deep; write it flatter") from None
    except yaml.YAMLError:
        raise FileError(f"{name}: not valid YAML (a character that YAML does not allow)") from None
    typed = Typed(name, None)
    typed.content = None if node is None else _build(node, (), typed, set())
    return typed


def _full_width_colon(text: str, line: int) -> int | None:
    """The line up to this one (from 1) in which a full-width colon is the only one; the parser stumbles behind it."""
    lines = [written.partition("#")[0] for written in text.splitlines()[:line]]
    found = [number for number, written in enumerate(lines, 1) if "：" in written and ":" not in written.split("：")[0]]
    return found[-1] if found and found[-1] >= line - 1 else None


def _build(node: yaml.Node, path: Path_, typed: Typed, seen: set[int]) -> object:
    typed.lines[path] = node.start_mark.line + 1
    if len(path) > DEEPEST:
        raise typed.error(path, f"nested more than {DEEPEST} levels deep; write it flatter")
    if id(node) in seen:  # an alias can make a file endless, or a billion lines long
        raise typed.error(path, "a YAML alias (*name) refers to this; write it out in each place")
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        content: dict[str, object] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise FileError(f"{typed.name}, line {key.start_mark.line + 1}: a key must be a plain word")
            if key.value in content:
                raise FileError(f"{typed.name}, line {key.start_mark.line + 1}: {key.value} stands twice; keep one")
            content[key.value] = _build(value, (*path, key.value), typed, seen)
        return content
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, index), typed, seen) for index, item in enumerate(node.value)]
    return node.value

"""What headers and words mean, in English and Chinese: which declared column, which declared word."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from unicodedata import category, normalize

from blina.linelist import chinese
from blina.linelist.columns import COLUMNS, Column
from blina.linelist.phrases import NONE, TIMES, YES_NO

BY_NAME = {column.name: column for column in COLUMNS}

# Superscripts become a power before NFKC, which would turn 10⁻⁴ into 10-4.
_POWER = re.compile("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", "⁺")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹣－ー", "-"))
_BLANKS = re.compile(r"((?<=\d)\s+(?=[.,]?\d)|(?<=\d[.,])\s+(?=\d))|\s+")


def folded(text: str) -> str:
    """Text without what typing adds to it: powers as ^-4, NFKC, one kind of dash, case folded, no blanks.

    Of blanks and line breaks between digits one blank stays: they may part two numbers (5 6 is not 56).
    """
    if text.isascii() and text.isprintable() and " " not in text:
        return text.casefold()
    powers = _POWER.sub(lambda found: "^" + found[0].translate(_SUPERSCRIPTS), text)
    plain = normalize("NFKC", normalize("NFKC", powers.translate(_DASHES)).casefold())
    seen = "".join(letter for letter in plain if letter.isspace() or category(letter) not in ("Cf", "Cc"))
    return _BLANKS.sub(lambda found: " " if found[1] else "", seen)


# Units as they stand in headers and behind numbers, by the declared unit of the column.
UNITS: dict[str, tuple[str, ...]] = {
    "years": ("years", "year", "yrs", "yr", "y", "周岁", "岁", "年"),
    "months": ("months", "month", "mos", "mo", "m", "个月", "月", "月龄"),
    "weeks": ("weeks", "week", "wks", "wk", "w", "周", "星期"),
    "days": ("days", "day", "d", "天", "日"),
    "hours": ("hours", "hour", "hrs", "hr", "h", "小时"),
    "cycles": ("cycles", "cycle", "courses", "course", "疗程", "个疗程", "周期", "个周期"),
    "%": ("%", "percent", "per cent", "百分比", "百分数"),
    "fraction": ("fraction", "10^-4", "copies", "拷贝", "小数", "比例", "ratio"),
}
UNIT_OF = {folded(word): unit for unit, words in UNITS.items() for word in words}
_RANGE = re.compile(r"\d-\d")  # of grades, as in CRS grade (0-5)
# A hyphen within a word is of typing, one behind it may mean negative; ?, * and # say doubt or point to a note.
_OF_TYPING = re.compile(
    r"^[(\[{【〔]-+[)\]}】〕]$|[_()\[\]{}【】〔〕\"'“”‘’「」]|(?<=[^\W\d])-(?=\w)|(?<=\d)-(?=[^\W\d])"
    r"|^[.,:;、。]+(?![.,:;*#、。\d])|[.,:;!、。]+$"
)
_IN_BRACKETS = re.compile(r"[(\[{<【〔]([^()\[\]{}<>【】〔〕]*)[)\]}>】〕]")


@lru_cache(maxsize=1024)
def normalised(text: str) -> str:
    """Text for comparing: `folded`, and no underscores, hyphens, brackets, units in brackets nor outer punctuation.

    What makes a number another one (-1, 2-3, .5) or says doubt (?, +-) stays. Of a text that would lose everything,
    such as a hyphen in brackets, the folded text is kept.
    """
    plain = folded(text)
    # 10^-4 may be a value behind a word
    without_units = _IN_BRACKETS.sub(
        lambda found: found[0] if UNIT_OF.get(found[1], "fraction") == "fraction" else "", plain
    )
    return _OF_TYPING.sub("", without_units) or plain


# Headers. Words that say nothing are left out of both sides, so that "MRD by FC before the infusion" is "MRD FC before
# infusion".
_SILENT = {"the", "of", "in", "at", "by", "for", "to", "a", "an", "is", "was"}


def _form(header: str) -> str:
    """A header as one run of letters and digits, without silent words and what brackets add: units, the grades."""
    plain = _IN_BRACKETS.sub(
        lambda found: " " if found[1] in UNIT_OF or _RANGE.fullmatch(found[1]) else f" {found[1]} ", _words(header)
    )
    words = [word for word in re.findall(r"[^\W_]+", plain) if word not in _SILENT]
    return "".join(words).replace("第一", "第1").replace("疗程1", "第1疗程").replace("第第1", "第1")


def _words(header: str) -> str:
    """A header folded as `folded` does, its blanks kept."""
    return " ".join(folded(word) for word in header.split())


def _index(said: Iterable[tuple[str, str]]) -> dict[str, str | None]:
    """What each form of a header stands for, from headers and what they stand for; None where it could be two."""
    index: dict[str, set[str]] = defaultdict(set)
    for header, meant in said:
        index[_form(header)].add(meant)
    return {form: min(meant) if len(meant) == 1 else None for form, meant in index.items() if form}


@dataclass(frozen=True)
class _Indexes:
    """Columns by the form of a header: those known as a whole; by time, those known without it; times by form.

    Times stand in the order in which they are looked for, the longest first.
    """

    whole: dict[str, str | None]
    measured: dict[str, dict[str, str | None]]
    times: tuple[tuple[str, str], ...]


@lru_cache(maxsize=1)  # made when first asked for: some thousand combinations
def _indexes() -> _Indexes:
    whole = []
    measured: dict[str, list[tuple[str, str]]] = {time: [] for time in TIMES}
    for column in COLUMNS:
        whole += [(text, column.name) for text in (column.name, column.label, column.chinese)]
        others = [(text, column.name) for text in column.headers]
        if column.time:
            measured[column.time] += others
        else:
            whole += others
    times = {_form(text): time for time, texts in TIMES.items() for text in texts}
    longest_first = sorted(times.items(), key=lambda one: (-len(one[0]), one[0]))
    by_time = {time: _index(headers) for time, headers in measured.items()}
    return _Indexes(_index(whole), by_time, tuple(longest_first))


def _named(header: str) -> str | None:
    """The column that a header names as a whole, whatever unit it states."""
    form = _form(header)
    indexes = _indexes()
    if form in indexes.whole:
        return indexes.whole[form]
    for said, time in indexes.times:
        before, found, behind = form.partition(said)
        if found and (name := indexes.measured[time].get(before + behind)):
            return name
    return None


@lru_cache(maxsize=4096)
def column_of(header: str) -> str | None:
    """The declared column that a header names; None if none, or if it could be two, or if it names another unit.

    A header in two languages (年龄 Age, or age_years above 年龄（岁）) names a column where both of its parts do.
    """
    header = header[:200]
    name = _named(header) or next(_named_twice(header), None)
    return name if name is not None and _fits(header, BY_NAME[name]) else None


def _named_twice(header: str) -> Iterator[str]:
    """The column that both parts of a header name, for each place where it may be taken apart."""
    text = _words(header)
    for cut in re.finditer(r"[\s/|;,(]|(?<=[^\W\d_])(?=[\d\W_])|(?<=[^\x00-\x7f])(?=[\x00-\x7f])"
                           r"|(?<=[\x00-\x7f])(?=[^\x00-\x7f])", text):  # fmt: skip
        left, right = (_named(part) for part in (text[: cut.start()], text[cut.start() :]))
        if left is not None and left == right:
            yield left


_NEARLY = 0.8  # of 1, how alike two headers are that may be one in another spelling
_RUNS = re.compile(r"[a-z]+|[0-9]+|[^\W\d_a-z]+")  # a word of letters is parted from digits and from Chinese


def resembles(header: str, column: Column) -> bool:
    """Whether a header that is not known may be meant for a column: it has one of its keys, or is nearly its name.

    A header that says when something was measured resembles no column of another time.
    """
    header = header[:200]
    form = _form(header)
    if not form or (column.time and not _may_be_of(form, column.time)):
        return False
    words = _RUNS.findall(_words(header))
    if any(_has_key(form, words, key) for key in column.keys):
        return True
    names = [_form(name) for name in (column.name, column.label, column.chinese) if name]
    return bool(get_close_matches(form, names, 1, _NEARLY))


def _has_key(form: str, words: list[str], key: str) -> bool:
    """Whether a key stands in a header; a word of letters begins a word there, and a short one is a whole one.

    FC is none of FCR, and fusion none of infusion.
    """
    if not key.isascii() or " " in key:
        return _form(key) in form
    if len(key) <= 3:
        return key in words
    return any(word.startswith(key) for word in words)


def _may_be_of(form: str, time: str) -> bool:
    """Whether a header speaks of a time, or of none."""
    spoken_of = {of for text, of in _indexes().times if text in form}
    return not spoken_of or time in spoken_of


_SAYS_MONTHS = re.compile(r"月|month|(?<![^\W_])mos?(?![^\W_])")


def _fits(header: str, column: Column) -> bool:
    """Whether the units that a header states are those of the column: an age in months is no age_years."""
    stated = {UNIT_OF[found.strip()] for found in _IN_BRACKETS.findall(_words(header)) if found.strip() in UNIT_OF}
    if column.name == "months_from_diagnosis" and not _SAYS_MONTHS.search(_words(header)):
        return False  # a time may be in days, weeks or years
    own = {"day": "days"}.get(column.unit, column.unit)
    may_hold_values = column.name.startswith(("fc_", "pcr_"))
    return stated <= ({"%"} if may_hold_values else {own})


# Words. Declared words and their Chinese forms are understood in each column, and the other words of its entry.
NO = frozenset(map(normalised, NONE))
NOT_APPLICABLE = frozenset(map(normalised, ("not applicable", "not_applicable", "不适用")))
# ND is not done or not detected; NA not applicable or not available; a hyphen negative, none or not recorded.
UNCLEAR = frozenset(map(normalised, ("na", "n/a", "n.a.", "nd", "n.d.", "-", "--", "---", "/", "\\")))
MISSING = frozenset(map(normalised, (
    ".", "?", "??", "unknown", "unk", "uk", "nk", "not known", "not recorded", "not reported", "not available",
    "unavailable", "nr", "missing", "null", "nan", "未知", "不详", "不明", "不清", "不清楚", "缺失", "未记录",
    "无记录", "未提供", "无资料", "未登记", "资料缺失",
)))  # fmt: skip


def says_missing(text: str) -> bool:
    """Whether a cell says in words that its value is not known."""
    return normalised(text) in MISSING


@lru_cache(maxsize=256)
def _words_of(column: Column) -> dict[str, str | None]:
    """The declared word of each normalised one that is understood in a column; None where it could be two."""
    index: dict[str, set[str]] = defaultdict(set)
    for word in column.words:
        texts = [word, *column.other_words.get(word, ())]
        if column.type == "boolean":
            texts += YES_NO[word]
        if translated := chinese.word(column, word):
            texts.append(translated)
        for text in texts:
            index[normalised(text)].add(word)
    return {text: min(words) if len(words) == 1 else None for text, words in index.items()}


def word_of(column: Column, text: str) -> str | None:
    """The declared word of a category or boolean column that a text stands for; None if none, or if it could be two."""
    known = _words_of(column)
    return known.get(normalised(text)) or known.get(re.sub(r"^\((.+)\)$", r"\1", folded(text)))

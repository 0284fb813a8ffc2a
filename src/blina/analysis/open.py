"""What a report leaves open: results that differ between line lists which all satisfy its claims, shown as spans."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from blina.analysis.intervals import short_text
from blina.linelist.tidy import Tidy

VALUES = ("k", "n", "value", "least", "greatest")
SEEN = (*VALUES, "percent", "p")
DERIVED = ("percent", "lower", "upper", "p", "smallest_attainable")
OPEN = "open"


def with_spans(
    analyse: Callable[[Tidy], pd.DataFrame], study: Tidy, others: Sequence[Tidy], keys: Sequence[str]
) -> pd.DataFrame:
    """The table that `analyse` makes of a study, with a column `open` (bool): another line list gives something else.

    `keys` name what a row is about; they must be the same for every line list (else ValueError). In an open row,
    numbers are blank and texts read `open`, since none of them is the report's. `text` gives the span from the least
    to the greatest of `VALUES` that was seen, as in `open, seen 10 to 13 of 15`, `test_text` that of p, and the columns
    `percent_least` and `percent_greatest` that of `percent`. The true spans may be wider, and that a row is not open
    here does not prove that no line list could change it.
    """
    keys = list(keys)
    tables = [analyse(one) for one in (study, *others)]
    table = tables[0]
    if any(not other[keys].equals(table[keys]) for other in tables[1:]):
        raise ValueError("another line list gives a table with other rows, so the two cannot be compared")
    numbers = [name for name in (*VALUES, *DERIVED) if name in table]
    seen = pd.concat([one[[name for name in numbers if name in SEEN]].astype("float64") for one in tables])
    least, greatest = (getattr(seen.groupby(level=0), end)() for end in ("min", "max"))
    is_open = ((least != greatest) & least.notna()).any(axis=1)
    if "percent" in table:
        table = table.assign(percent_least=least["percent"], percent_greatest=greatest["percent"])
    texts = [name for name in table if name not in (*numbers, *keys, "text") and table[name].dtype == "str"]
    for name in texts:
        differs = pd.concat([one[name].ne(table[name]) for one in tables], axis=1).any(axis=1)
        instead = OPEN
        if name == "test_text":
            instead = "open, seen p " + least["p"].map("{:.2g}".format) + " to " + greatest["p"].map("{:.2g}".format)
        table = table.assign(**{name: table[name].mask(differs, instead)})
        is_open |= differs
    if "text" in table:
        spans = [_span(least.loc[row], greatest.loc[row]) if is_open[row] else "" for row in table.index]
        table = table.assign(text=table["text"].mask(is_open, pd.Series(spans, table.index)))
    return table.assign(**{name: table[name].mask(is_open) for name in numbers}, open=is_open)


def _span(least: pd.Series, greatest: pd.Series) -> str:
    def ends(name: str) -> str:
        low, high = short_text(least[name]), short_text(greatest[name])
        return low if low == high else f"{low} to {high}"

    def has(name: str) -> bool:
        return name in least and pd.notna(least[name])

    if has("k"):
        everybody = ends("k") == ends("n") and least.get("percent") == greatest.get("percent") == 100
        return f"{OPEN}, seen all of {ends('n')}" if everybody else f"{OPEN}, seen {ends('k')} of {ends('n')}"
    return f"{OPEN}, seen {'median ' if has('least') else ''}{ends('value')}"

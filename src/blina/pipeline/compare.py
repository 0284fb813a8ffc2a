"""The pytest plugin that `verify` loads: it closes what nbval leaves uncompared and writes each cell's result as JSON.

nbval passes over metadata, output types, PNG and JPEG, the order of unlike outputs and text before a carriage return.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping

import pytest

from blina.pipeline.publish import merged_streams

RESULTS = "BLINA_VERIFY_RESULTS"


def difference(recorded: Iterable[Mapping], now: Iterable[Mapping]) -> str:
    """A short text showing where two lists of outputs first differ; empty if they are equal."""
    old, new = (
        [{k: v for k, v in output.items() if k != "execution_count"} for output in outputs]
        for outputs in (recorded, now)
    )
    if len(old) != len(new):
        return f"{len(old)} outputs were recorded, {len(new)} came now"
    for one, other in zip(old, new, strict=True):
        if one != other:
            texts = [json.dumps(side, ensure_ascii=False, sort_keys=True) for side in (one, other)]
            start = max(0, len(os.path.commonprefix(texts)) - 20)
            was, came = (text[start : start + 60] for text in texts)
            return f"recorded …{was}… but now …{came}…"
    return ""


def pytest_configure(config: pytest.Config) -> None:
    """Make nbval's comparison whole, and collect results in the process that has them all."""
    from nbval import plugin

    by_nbval = plugin.IPyNbCell.compare_outputs

    def compare_outputs(cell, test, ref, skip_compare=None):  # noqa: ANN001, ANN202 - nbval's signature
        found = difference(ref, test)
        cell.user_properties.append(("difference", found))
        return by_nbval(cell, test, ref, skip_compare) and not found

    plugin.IPyNbCell.compare_outputs = compare_outputs
    plugin.coalesce_streams = merged_streams
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector())


class _Collector:
    def __init__(self) -> None:
        self.results: list[dict[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            compared = dict(report.user_properties).get("difference")
            self._add(report, compared or _headline(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self._add(report, _headline(report))

    def _add(self, report: pytest.TestReport | pytest.CollectReport, reason: str) -> None:
        self.results.append({"cell": report.nodeid, "outcome": report.outcome, "reason": reason})

    def pytest_sessionfinish(self) -> None:
        with open(os.environ[RESULTS], "w", encoding="utf-8") as file:
            json.dump(self.results, file)


def _headline(report: pytest.TestReport | pytest.CollectReport) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", report.longreprtext)
    lines = [line.strip() for line in plain.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""

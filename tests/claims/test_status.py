"""Statuses are one set of words, and each is the text that stands in JSON and in tables."""

import csv
import io
import json

from blina.claims.status import Status


def test_a_status_is_the_text_that_files_hold():
    assert json.dumps({"status": Status.PROVEN}) == '{"status": "proven"}'
    table = io.StringIO()
    csv.writer(table).writerow([Status.UNDEFINED, Status.OUTER])
    assert table.getvalue() == "undefined,outer\r\n"
    assert f"{Status.CONTRADICTORY}" == "contradictory"


def test_a_status_read_from_a_file_is_the_status():
    for status in Status:
        assert Status(str(status)) is status
        assert str(status) in {status}

"""How long a line list of many patients takes: reading and checking, tidy tables, every number of the report.

The rows are those of the report's line list drawn again and again: nobody's, and of no meaning but their number.
"""

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import numpy as np

from blina.linelist.cohort import Cohort, load_cohort
from blina.linelist.intake import take_in
from blina.linelist.tidy import tidy
from blina.measures.compute import results_of

SIZES = (1_000, 100_000, 1_000_000)
MOST_SECONDS, MOST_GB = 30, 3  # for the largest


def write_rows(path: Path, number: int) -> None:
    """A CSV line list of so many rows drawn from the report's, each with an identifier of its own."""
    lines = load_cohort("tianjin2023").linelist.read_text(encoding="utf-8").splitlines()
    rows = [line.partition(",")[2] for line in lines[1:]]
    drawn = np.random.default_rng(0).integers(len(rows), size=number).tolist()
    with path.open("w", encoding="utf-8") as file:
        file.write(lines[0] + "\n")
        file.writelines(f"ward-{i},{rows[row]}\n" for i, row in enumerate(drawn))


def measure(path: Path) -> dict[str, float]:
    """Seconds of each part, and the peak memory of this process in GB."""
    began = perf_counter()
    cohort = Cohort(name="bench", folder=path.parent, title="bench", file=path.name)
    table = take_in(path, cohort).checked()
    read = perf_counter()
    study = tidy(table, cohort)
    made = perf_counter()
    results_of(table, study.cohort)
    ended = perf_counter()
    study.write(path.parent / "tidy")
    written = perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return {"read": read - began, "tidy": made - read, "tables": ended - made, "all": ended - began,
            "files": written - ended, "GB": peak}  # fmt: skip


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(measure(Path(sys.argv[1]))))
        return
    print("patients   read and check  tidy tables       every number      all  rows per second  peak memory  (files)")
    with tempfile.TemporaryDirectory() as folder:
        for number in SIZES:
            path = Path(folder) / f"{number}.csv"
            write_rows(path, number)
            done = subprocess.run([sys.executable, __file__, str(path)], check=True, capture_output=True, text=True)
            took = json.loads(done.stdout)
            print(f"{number:>9,} {took['read']:>14.2f} s {took['tidy']:>10.2f} s {took['tables']:>15.2f} s "
                  f"{took['all']:>6.2f} s {number / took['all']:>16,.0f} {took['GB']:>9.2f} GB "
                  f"{took['files']:>6.2f} s")  # fmt: skip
            path.unlink()
    print(f"mark for the largest: {MOST_SECONDS} s, {MOST_GB} GB")


if __name__ == "__main__":
    main()

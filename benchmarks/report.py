"""How long the report takes: all steps in one process against papermill started from the shell once per step."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from blina.linelist.cohort import ROOT, load_cohort
from blina.pipeline.steps import steps


def timed(command: list[str], **how) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, **how)
    return time.perf_counter() - began


def main() -> None:
    tools = Path(sys.executable).parent
    together = timed([str(tools / "blina"), "run"], cwd=ROOT)
    with tempfile.TemporaryDirectory() as scratch:
        apart = 0.0
        for step in steps(load_cohort("tianjin2023")):
            given = [word for name, value in step.parameters.items() for word in ("-p", name, str(value))]
            source, made = ROOT / "notebooks" / step.notebook, Path(scratch) / f"{step.name}.ipynb"
            apart += timed([str(tools / "papermill"), str(source), str(made), *given], cwd=ROOT / "notebooks")
    print(f"{'make report, all steps in one process':<45} {together:6.1f} s")
    print(f"{'papermill from the shell, once per step':<45} {apart:6.1f} s")
    print(f"{'ratio':<45} {apart / together:6.1f}")


if __name__ == "__main__":
    main()

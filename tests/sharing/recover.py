"""Can anything suppressed be recovered? Run as a script: `.venv/bin/python tests/sharing/recover.py 500`.

Random cohorts, each shared and attacked with another solver than the product's. Prints the totals; exit code 1 if
anything was recovered.
"""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from attacker import Attack  # noqa: E402
from random_cohorts import random_cohort  # noqa: E402

from blina.sharing.write import results  # noqa: E402

THRESHOLD = 5
EVERYTHING = 1  # the threshold at which nothing is small, so nothing is suppressed


def attacked(seed: int) -> Counter[str]:
    """One random cohort: how many numbers it has, how many are suppressed, and what an attacker makes of them."""
    cohort = random_cohort(seed)
    attack = Attack(results(cohort, THRESHOLD))
    truth = {key: value for key, (_, value) in Attack(results(cohort, EVERYTHING)).known.items()}
    small = [key for key in attack.sought if 1 <= truth[key] < THRESHOLD]
    return Counter({
        "cohorts": 1, "patients": len(cohort.table), "numbers": len(attack.known),
        "suppressed": len(attack.sought), "suppressed, small": len(small),
        "small and shown": sum(1 <= (value or 0) < THRESHOLD for _, value in attack.known.values()),
        "recovered": len(attack.recovered()), "small, got as a difference": len(attack.small_left()),
        "suppressed and surely small": len(attack.surely_small(small)),
    })  # fmt: skip


BREACHES = ("small and shown", "recovered", "small, got as a difference", "suppressed and surely small")


def main(cohorts: int) -> int:
    total: Counter[str] = Counter()
    for seed in range(cohorts):
        found = attacked(seed)
        total.update(found)
        if any(found[breach] for breach in BREACHES):
            print(f"cohort {seed}: {dict(found)}", flush=True)
        if sys.stderr.isatty():
            print(f"\r{seed + 1} of {cohorts}", end="", file=sys.stderr)
    for name, number in total.items():
        print(f"{name}: {number}")
    return int(any(total[breach] for breach in BREACHES))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 500))

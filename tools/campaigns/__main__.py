"""Campaigns of faults that we make ourselves: python tools/campaigns CAMPAIGN [--count N] ...

inputs: mutated files and command lines; kills: SIGKILL at random moments; disks: full disks; page:
hostile requests; live: a long run. The seed is printed; with it, a campaign is the same again. The
exit code is 1 if anything failed. docs/reference/robustness.md has what they found.
"""

import argparse
import os
import random
import sys
import warnings
from importlib import import_module
from pathlib import Path

LONG = {"inputs": 5000, "kills": 20, "disks": 10, "page": 1000, "live": 3600}
SHORT = {"inputs": 150, "kills": 1, "disks": 1, "page": 150, "live": 20}
MODULES = {"disks": "full_disk"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("campaign", choices=LONG)
    parser.add_argument("--count", type=int, help=f"cases, or seconds of live: {LONG}")
    parser.add_argument("--short", action="store_true", help=f"as in make check: {SHORT}")
    parser.add_argument("--seed", type=int, help="default: a random one")
    parser.add_argument("--only", help="a kind of input, a job, a writer; KIND:NUMBER is one case")
    parser.add_argument("--keep", type=Path, help="inputs: folder for the inputs that fail")
    given = parser.parse_args()
    count = given.count or (SHORT if given.short else LONG)[given.campaign]
    seed = random.SystemRandom().randrange(10**6) if given.seed is None else given.seed
    print(f"{given.campaign}: {count}, seed {seed}", flush=True)
    warnings.simplefilter("ignore")
    module = import_module(MODULES.get(given.campaign, given.campaign))
    more = {"keep": given.keep} if given.campaign == "inputs" else {}
    return int(module.run(count, seed, given.only, **more) > 0)


if __name__ == "__main__":  # spawned workers import this file, too
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())

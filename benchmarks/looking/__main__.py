# SPDX-License-Identifier: Apache-2.0
"""The command: plays drawn tasks with their branches, or tells what came of them.

python -m benchmarks.looking run --tasks 60
python -m benchmarks.looking verdict
python -m benchmarks.looking packs
python -m benchmarks.looking predictable
python -m benchmarks.looking curve
python -m benchmarks.looking masks
python -m benchmarks.looking layers --policy saved_policies/ganno-relative
python -m benchmarks.looking stories --policy saved_policies/ganno-relative
python -m benchmarks.looking unseen --policies saved_policies/ganno-relative
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from agents.common.threads import use_one_thread
from ganno_keras.policies import load_policy

from .layer_factors import tell_layers
from .masked_entries import tell_masks
from .plan import BRANCHES, NO_OP_BRANCH
from .played_packs import lines_of_packs, load_packs
from .predictable_packs import lines_of_predictable
from .results import results_path, rows_of, run
from .story_pictures import tell_stories
from .task_curve import tell_curve
from .unseen_packs import lines_of_unseen, run_packs
from .unseen_packs import rows_of as rows_of_packs
from .verdict import lines_of_verdict

OF_PACKS: Final = {
    "packs": lines_of_packs,
    "predictable": lines_of_predictable,
    "curve": tell_curve,
    "masks": tell_masks,
}
"""What tells something of the packs that a meta-training learned from."""
OF_POLICY: Final[dict[str, Callable[[str], list[str]]]] = {
    "layers": lambda policy: tell_layers(load_policy(policy), load_packs()),
    "stories": tell_stories,
}
"""What tells something of a policy, given its name or folder."""
WHATS: Final = ("run", "verdict", *OF_PACKS, *OF_POLICY, "unseen")


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking")
    parser.add_argument("what", choices=WHATS)
    parser.add_argument("--tasks", type=int, default=60, help="how many, from number 0")
    parser.add_argument("--name", default="e3", help="of the experiment, in results")
    parser.add_argument("--seed", type=int, default=0, help="of the distribution")
    parser.add_argument(
        "--main-line",
        type=int,
        default=NO_OP_BRANCH,
        choices=range(len(BRANCHES)),
        help="the branch that main lines are on: "
        + ", ".join(f"{place} is {branch}" for place, branch in enumerate(BRANCHES)),
    )
    parser.add_argument(
        "--policies", type=Path, nargs="*", default=[], help="folders, for `unseen`"
    )
    parser.add_argument("--policy", help="name or folder, for `layers` and `stories`")
    parser.add_argument("--packs", type=int, default=20, help="how many, for `unseen`")
    options = parser.parse_args(arguments)
    if options.what in OF_PACKS:
        use_one_thread()
        print("\n".join(OF_PACKS[options.what](load_packs())))
        return
    if options.what in OF_POLICY:
        if not options.policy:
            parser.error(f"{options.what} needs a policy, by name or folder: --policy")
        use_one_thread()
        print("\n".join(OF_POLICY[options.what](options.policy)))
        return
    if options.what == "unseen":
        use_one_thread()
        run_packs(options.policies, options.packs)
        print("\n".join(lines_of_unseen(rows_of_packs())))
        return
    path = results_path(options.name, options.seed, options.main_line)
    if options.what == "run":
        use_one_thread()
        run(options.seed, options.tasks, path, options.main_line)
        return
    print("\n".join(lines_of_verdict(rows_of(path)[: options.tasks])))


if __name__ == "__main__":
    main(sys.argv[1:])

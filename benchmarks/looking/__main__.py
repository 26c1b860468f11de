# SPDX-License-Identifier: Apache-2.0
"""The command: plays drawn tasks with their branches, or tells what came of them.

python -m benchmarks.looking run --tasks 60
python -m benchmarks.looking verdict
python -m benchmarks.looking packs
python -m benchmarks.looking predictable
python -m benchmarks.looking curve
python -m benchmarks.looking masks
python -m benchmarks.looking layers runs/policies/ganno-relative
python -m benchmarks.looking stories runs/policies/ganno-relative
python -m benchmarks.looking controls runs/policies/ganno-relative
python -m benchmarks.looking unseen runs/policies/ganno-relative runs/policies/static
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from agents.common.threads import use_one_thread
from ganno_keras.policies import load_policy

from .control_policies import export_controls
from .layer_factors import tell_layers
from .masked_entries import tell_masks
from .plan import BRANCHES, NO_OP_BRANCH
from .played_packs import lines_of_packs, load_packs
from .predictable_packs import lines_of_predictable
from .resumed_rows import rows_of as rows_of_lines
from .snapshots.results import results_path, rows_of, run
from .snapshots.verdict import lines_of_verdict
from .story_pictures import tell_stories
from .task_curve import tell_curve
from .unseen_packs import PATH, lines_of_unseen, run_packs

Options = argparse.Namespace
Tell = Callable[[Options], Sequence[str]]
"""Does what is asked, and returns what it came to, in lines of text."""


def _run(options: Options) -> Sequence[str]:
    path = results_path(options.name, options.seed, options.main_line)
    run(options.seed, options.tasks, path, options.main_line)
    return []


def _verdict(options: Options) -> Sequence[str]:
    path = results_path(options.name, options.seed, options.main_line)
    return lines_of_verdict(rows_of(path)[: options.tasks])


def _unseen(options: Options) -> Sequence[str]:
    run_packs(options.policies, options.packs)
    leader = options.policies[0].name if options.policies else ""
    return lines_of_unseen(rows_of_lines(PATH), leader)


SNAPSHOTS: Final[dict[str, Tell]] = {"run": _run, "verdict": _verdict}
"""The third experiment on relative rates (E3)."""
OF_PACKS: Final[dict[str, Tell]] = {
    "packs": lambda _: lines_of_packs(load_packs()),
    "predictable": lambda _: lines_of_predictable(load_packs()),
    "curve": lambda _: tell_curve(load_packs()),
    "masks": lambda _: tell_masks(load_packs()),
}
"""What tells something of the packs that a meta-training learned from."""
OF_POLICY: Final[dict[str, Tell]] = {
    "layers": lambda it: tell_layers(load_policy(it.policy), load_packs()),
    "stories": lambda it: tell_stories(it.policy),
    "controls": lambda it: export_controls(Path(it.policy), load_packs()),
}
"""What tells something of a policy."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line."""
    options = _parser().parse_args(arguments)
    use_one_thread()
    for line in options.tell(options):
        print(line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking")
    parts: Any = parser.add_subparsers(dest="what", required=True)
    for name, tell in SNAPSHOTS.items():
        part = parts.add_parser(name)
        part.set_defaults(tell=tell)
        part.add_argument("--tasks", type=int, default=60, help="from number 0")
        part.add_argument("--name", default="e3", help="of the experiment, in results")
        part.add_argument("--seed", type=int, default=0, help="of the distribution")
        part.add_argument(
            "--main-line",
            type=int,
            default=NO_OP_BRANCH,
            choices=range(len(BRANCHES)),
            help="the branch that main lines are on: "
            + ", ".join(f"{place} is {it}" for place, it in enumerate(BRANCHES)),
        )
    for name, tell in OF_PACKS.items():
        parts.add_parser(name).set_defaults(tell=tell)
    for name, tell in OF_POLICY.items():
        part = parts.add_parser(name)
        part.set_defaults(tell=tell)
        part.add_argument("policy", help="its name, or its folder")
    part = parts.add_parser("unseen")
    part.set_defaults(tell=_unseen)
    part.add_argument(
        "policies",
        type=Path,
        nargs="*",
        help="folders; the first one is compared with the others",
    )
    part.add_argument("--packs", type=int, default=40, help="how many, from number 0")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])

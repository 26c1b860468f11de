# SPDX-License-Identifier: Apache-2.0
"""The command: plays drawn tasks with their branches, or tells what came of them.

python -m benchmarks.looking run --tasks 60
python -m benchmarks.looking verdict
python -m benchmarks.looking packs
python -m benchmarks.looking predictable --rounds 0 1
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
from agents.expert_training.pack_files import PlayedPack
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
from .unseen_packs import FOLDER, lines_of_unseen, run_packs

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
    path = FOLDER / f"{options.name}.jsonl"
    run_packs(options.policies, options.packs, path)
    leader = options.policies[0].name if options.policies else ""
    return lines_of_unseen(rows_of_lines(path), leader)


def _packs(options: Options) -> list[PlayedPack]:
    return load_packs(rounds=options.rounds)


SNAPSHOTS: Final[dict[str, Tell]] = {"run": _run, "verdict": _verdict}
"""The third experiment on relative rates (E3)."""
OF_PACKS: Final[dict[str, Tell]] = {
    "packs": lambda it: lines_of_packs(_packs(it)),
    "predictable": lambda it: lines_of_predictable(_packs(it)),
    "curve": lambda it: tell_curve(_packs(it)),
    "masks": lambda it: tell_masks(_packs(it)),
}
"""What tells something of the packs that a meta-training learned from."""
OF_POLICY: Final[dict[str, Tell]] = {
    "layers": lambda it: tell_layers(load_policy(it.policy), _packs(it)),
    "controls": lambda it: export_controls(Path(it.policy), _packs(it)),
}
"""What tells something of a policy, on such packs."""


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
    for name, tell in (OF_PACKS | OF_POLICY).items():
        part = parts.add_parser(name)
        part.set_defaults(tell=tell)
        if name in OF_POLICY:
            part.add_argument("policy", help="its name, or its folder")
        part.add_argument(
            "--rounds",
            type=int,
            nargs="+",
            help="that packs are of, from 0; all by default",
        )
    part = parts.add_parser("stories")
    part.set_defaults(tell=lambda it: tell_stories(it.policy))
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
    part.add_argument("--name", default="unseen-packs", help="of the results file")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])

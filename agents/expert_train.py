# SPDX-License-Identifier: Apache-2.0
"""Meta-trains a policy from counterfactual branches of drawn tasks.

    python -m agents.expert_train --run-folder runs/relative \
        --export saved_policies/ganno-relative

The same command resumes a run that was killed. Several processes can share the packs of
a round: start each with `--play ROUND PART PARTS`, and then the whole command. The
siblings of PPO can be shared likewise: its iterations count on after the last round.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .common.threads import use_one_thread
from .expert_training.configuration import RELATIVE, ExpertConfiguration
from .expert_training.expert_training import ExpertTraining
from .learning.policy_files import refuse_existing


def main(command_line: Sequence[str] | None = None) -> None:
    """Runs a meta-training by branches as the command line says.

    Args:
        command_line: The arguments; those of the process if left out.

    Raises:
        ValueError: If an argument, or the configuration, cannot be used.
    """
    arguments = _parser().parse_args(command_line)
    refuse_existing(arguments.export)
    configuration = (
        ExpertConfiguration.load(arguments.configuration)
        if arguments.configuration
        else RELATIVE
    )
    use_one_thread()
    training = ExpertTraining(configuration, arguments.run_folder, arguments.packs_of)
    if arguments.play:
        number, part, parts = arguments.play
        training.play(number, part, parts)
        return
    policy = training.run()
    if arguments.export:
        training.export(policy, arguments.export)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m agents.expert_train",
        description=(__doc__ or "").split("\n\n")[0],
    )
    parser.add_argument(
        "--configuration",
        type=Path,
        help="a JSON file; by default the recipe of `ganno-relative`",
    )
    parser.add_argument("--run-folder", type=Path, required=True)
    parser.add_argument(
        "--packs-of", type=Path, help="another run folder, to learn from its packs"
    )
    parser.add_argument("--export", type=Path, help="folder of the finished policy")
    parser.add_argument(
        "--play",
        type=int,
        nargs=3,
        metavar=("ROUND", "PART", "PARTS"),
        help="plays only some packs of a round, and learns nothing",
    )
    return parser


if __name__ == "__main__":
    main()

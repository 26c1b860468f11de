# SPDX-License-Identifier: Apache-2.0
"""Meta-trains a policy from counterfactual branches of drawn tasks.

    python -m agents.expert_train --run-folder runs/relative \
        --export saved_policies/ganno-relative

The same command resumes a run that was killed. Several processes can share the packs of
a round: on Ray with `--collectors`, or each started with `--play ROUND PART PARTS`, and
then the whole command. The siblings of PPO can be shared by `--play`: its iterations
count on after the last round.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from .collection.collector_options import add_collector_options
from .common.threads import use_one_thread
from .expert_training.configuration import RELATIVE, ExpertConfiguration
from .expert_training.expert_training import ExpertTraining
from .expert_training.pack_players import start_players
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
    players = start_players(
        configuration, arguments.collectors, arguments.gpus_per_collector
    )
    with closing(players):
        training = ExpertTraining(
            configuration, arguments.run_folder, players, arguments.packs_of
        )
        if arguments.play:
            training.play(*arguments.play)
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
    add_collector_options(parser, "packs")
    return parser


if __name__ == "__main__":
    main()

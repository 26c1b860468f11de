# SPDX-License-Identifier: Apache-2.0
"""Meta-trains one shared policy to set the learning rates of layers.

    python -m agents.meta_train --configuration paper --run-folder runs/paper \
        --export saved_policies/ganno-paper

The same command resumes a run that was killed.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from .collection.collector_options import add_collector_options
from .common.threads import use_one_thread
from .learning.policy_files import refuse_existing
from .meta_training.meta_training import MetaTraining
from .meta_training.publishing import publish_policy
from .meta_training.run_folder import RunFolder
from .recipes.registry import find_configuration


def main(command_line: Sequence[str] | None = None) -> None:
    """Runs a meta-training as the command line says.

    Args:
        command_line: The arguments; those of the process if left out.

    Raises:
        ValueError: If an argument, or the configuration, cannot be used.
    """
    arguments = _parser().parse_args(command_line)
    refuse_existing(arguments.export)
    configuration = find_configuration(arguments.configuration)
    folder = RunFolder(arguments.run_folder, configuration)
    use_one_thread()
    training = MetaTraining(
        configuration, folder, arguments.collectors, arguments.gpus_per_collector
    )
    training.run()
    if arguments.export:
        publish_policy(training.learner, configuration, folder, arguments.export)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m agents.meta_train", description=(__doc__ or "").split("\n\n")[0]
    )
    parser.add_argument(
        "--configuration",
        required=True,
        help="a recipe's name (paper, first, ...) or a JSON file",
    )
    parser.add_argument("--run-folder", type=Path, required=True)
    parser.add_argument("--export", type=Path, help="folder of the finished policy")
    add_collector_options(parser, "episodes")
    return parser


if __name__ == "__main__":
    main()

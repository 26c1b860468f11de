# SPDX-License-Identifier: Apache-2.0
"""How many collectors share the work of a run: options of commands, and their check."""

from __future__ import annotations

import argparse


def add_collector_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds the options `--collectors` and `--gpus-per-collector` to a command.

    Args:
        parser: Of the command.
        what: The collectors play, as its help calls it.
    """
    parser.add_argument(
        "--collectors",
        type=int,
        default=0,
        help=f"actors on Ray that play the {what}; 0, the default, needs no Ray",
    )
    parser.add_argument(
        "--gpus-per-collector",
        type=float,
        default=0.0,
        help="GPUs, or a share of one, that Ray reserves for each actor",
    )


def require_possible_collectors(num_collectors: int, gpus_per_collector: float) -> None:
    """Refuses numbers that no run can be shared out by.

    Args:
        num_collectors: Number of actors on Ray; 0 for this process alone.
        gpus_per_collector: GPUs, or a share of one, that Ray reserves for each actor.

    Raises:
        ValueError: If a number is negative, or GPUs are set aside for no actor.
    """
    if num_collectors < 0:
        raise ValueError(
            f"The number of collectors is {num_collectors}; it has to be 0, for this "
            "process alone, or above, for as many actors on Ray. Choose one of these."
        )
    if gpus_per_collector < 0 or (gpus_per_collector and not num_collectors):
        raise ValueError(
            f"{gpus_per_collector:g} GPUs for each of {num_collectors} collectors: it "
            "has to be 0 or above, and above 0 only with collectors on Ray. This "
            "process uses any GPU that there is. Leave it out, or start collectors."
        )

# SPDX-License-Identifier: Apache-2.0
"""Measures what each choice that the paper leaves open does to its own agents.

    python -m benchmarks.paper_choices rates
    python -m benchmarks.paper_choices run --choices bounds standardised

`rates` plays the inner trainings with constant rates. `run` meta-trains with the
paper's defaults and one choice at a time, in a quarter of the budget. Each policy then
trains the network of Table 1 from several rates, on the task for choices: the test set
plays no part. If it is killed, the same command resumes from the last checkpoint in the
run folder.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from agents.common.threads import use_one_thread

from .choices import CHOICES
from .constant_rates import measure_rates
from .meta_trainings import measure


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line, and measures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.paper_choices")
    parser.add_argument("what", choices=["rates", "run"])
    parser.add_argument("--choices", nargs="+", choices=CHOICES, default=list(CHOICES))
    parser.add_argument("--seed", type=int, default=0, help="of the meta-trainings")
    options = parser.parse_args(arguments)
    use_one_thread()
    for name in options.choices:
        if options.what == "rates":
            measure_rates(name)
        else:
            measure(name, options.seed)


if __name__ == "__main__":
    main()

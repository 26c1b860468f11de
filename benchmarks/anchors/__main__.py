# SPDX-License-Identifier: Apache-2.0
"""The command: carries an experiment out, or tells what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import agents  # noqa: F401  chooses the legacy Keras before TensorFlow is imported

from .running import EXPERIMENTS, run
from .verdict import lines_of_verdict


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anchors")
    parser.add_argument("what", choices=[*EXPERIMENTS, "verdict"])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="a part of the names of the cells")
    options = parser.parse_args(arguments)
    if options.what == "verdict":
        print("\n".join(lines_of_verdict()))
        return
    run(options.what, options.jobs, options.only)


if __name__ == "__main__":
    main(sys.argv[1:])

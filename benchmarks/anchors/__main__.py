# SPDX-License-Identifier: Apache-2.0
"""The command: carries an experiment out, or tells what came of it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import agents  # noqa: F401  chooses the legacy Keras before TensorFlow is imported

from .fine_tuning.lengths import lines_of_fine_tuning_lengths
from .fine_tuning.verdict import lines_of_fine_tuning
from .running import EXPERIMENTS, run
from .runs_file import runs_of
from .scratch.decays import lines_of_decays
from .scratch.growth import lines_of_growth
from .scratch.lengths import lines_of_lengths
from .scratch.long_shapes import lines_of_long_shapes
from .scratch.ordinary import lines_of_ordinary
from .scratch.shapes import lines_of_shapes
from .scratch.shifts import Row
from .scratch.shifts import lines as lines_of_shifts
from .scratch.verdict import lines_of_scratch
from .scratch.widths import draw_widths, lines_of_widths
from .stalls import lines_of_stalls

VERDICTS: Final[dict[str, Callable[[Sequence[Row]], list[str]]]] = {
    "e1": lines_of_scratch,
    "shapes": lines_of_shapes,
    "lengths": lines_of_lengths,
    "objectives": partial(lines_of_shifts, title="Objectives"),
    "embeddings": partial(lines_of_shifts, title="Embeddings"),
    "channels": partial(lines_of_shifts, title="Channels"),
    "sequences": partial(lines_of_shifts, title="Sequences"),
    "normalised": partial(lines_of_shifts, title="Normalised"),
    "growth": lines_of_growth,
    "ordinary": lines_of_ordinary,
    "long_shapes": lines_of_long_shapes,
    "decays": lines_of_decays,
    "stalls": lines_of_stalls,
    "e2": lines_of_fine_tuning,
    "e2_lengths": lines_of_fine_tuning_lengths,
    "factors": partial(lines_of_shifts, title="Low-rank factors"),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.anchors")
    parser.add_argument("what", choices=[*EXPERIMENTS, "verdict", "picture"])
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--only", default="", help="a part of the names of the cells")
    options = parser.parse_args(arguments)
    if options.what == "verdict":
        print("\n".join(lines_of_verdict()))
        return
    if options.what == "picture":
        draw_widths(runs_of("e1").rows())
        return
    run(options.what, options.jobs, options.only)


def lines_of_verdict() -> list[str]:
    """Everything that the results files tell."""
    lines = []
    for name, make in VERDICTS.items():
        rows = runs_of(name).rows()
        lines += make(rows) if rows else [f"{name}: no results yet"]
    return [*lines, "", *lines_of_widths(runs_of("e1").rows())]


if __name__ == "__main__":
    main(sys.argv[1:])

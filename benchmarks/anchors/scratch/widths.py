# SPDX-License-Identifier: Apache-2.0
"""How far the package's rates are from the best ones, by the width of a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from ganno_keras.plots.drawing import PALETTE, new_figure

from ..cells import e1_widths
from ..optima import LossCurve, by_cell, curve
from .verdict import present_offset

Row = dict[str, Any]

PICTURE: Final = Path(__file__).parents[3] / "docs" / "pictures" / "widths.png"
NUMBERS: Final = "benchmarks/results/anchors/e1.jsonl has"
NAMES: Final = {"mlp": "perceptron, two hidden layers", "cnn2": "CNN, one convolution"}


class Width:
    """A network of one width, with what its rates cost.

    Args:
        rows: The trainings of its cell.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        first = rows[0]
        self.family = str(first["network"]).split("-", maxsplit=1)[0]
        self.width = float(first["width"])
        self._curve: LossCurve = curve(rows, "relative")
        self._ours = present_offset(first)

    @property
    def octaves(self) -> float:
        """From the best relative rate to the package's."""
        return self._ours - self._curve.best_step

    @property
    def lost(self) -> float:
        """Log loss lost to the best relative rate."""
        return self._curve.regret(self._ours)


def widths_of(rows: Sequence[Row]) -> list[Width]:
    """The cells of `e1_widths` that have been run, from narrow to wide."""
    names = {cell.name for cell in e1_widths()}
    found = [
        Width(part)
        for (name, variant), part in by_cell(rows).items()
        if name in names and not variant
    ]
    return sorted(found, key=lambda it: (it.family, it.width))


def lines_of_widths(rows: Sequence[Row]) -> list[str]:
    """A table in lines of text."""
    lines = [f"{'network':32} {'width':>6} {'octaves':>8} {'log loss lost':>14}"]
    lines += [
        f"{NAMES[it.family]:32} {it.width:6.0f} {it.octaves:+8.2f} {it.lost:14.3f}"
        for it in widths_of(rows)
    ]
    return lines


def draw_widths(rows: Sequence[Row], path: Path = PICTURE) -> None:
    """Draws the log loss lost over the width, a line for each kind of network.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(6.0, 3.4, NUMBERS)
    axes = figure.subplots()
    widths = widths_of(rows)
    for colour, (family, name) in zip(PALETTE, NAMES.items(), strict=False):
        own = [it for it in widths if it.family == family]
        axes.plot(
            [it.width for it in own],
            [it.lost for it in own],
            marker="o",
            color=colour,
            label=name,
        )
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({it.width for it in widths}))
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.set_ylim(bottom=0.0)
    axes.set_xlabel("units or filters")
    axes.set_ylabel("log loss lost to the best rate")
    axes.legend(frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)

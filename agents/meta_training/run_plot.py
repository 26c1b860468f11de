# SPDX-License-Identifier: Apache-2.0
"""Plots a meta-training: return, accuracy and entropy over the timesteps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ganno_keras.plots.drawing import new_figure

Metrics = Sequence[Mapping[str, Any]]

PANELS: Final = (
    ("return", "return of an episode"),
    ("validation_accuracy", "final validation accuracy"),
    ("entropy", "entropy of the actions, nats"),
)


def draw_run(metrics: Metrics, path: Path) -> bool:
    """Plots the metrics of a run.

    Collected episodes are a thin line, and their mean over a tenth of the run is a
    thick one. Evaluations are markers.

    Args:
        metrics: The records of a run, in order.
        path: The PNG file to write.

    Returns:
        Whether there is a picture now. There is none without matplotlib, or of a run
        that has not begun.
    """
    if not metrics:
        return False
    try:
        figure = new_figure(7, 8, "metrics.jsonl has")
    except ImportError:
        return False
    all_axes = figure.subplots(len(PANELS), 1, sharex=True)
    for axes, (name, label) in zip(all_axes, PANELS, strict=True):
        _draw_panel(axes, metrics, name)
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    all_axes[0].legend(fontsize=8)
    all_axes[-1].set_xlabel("timesteps")
    figure.savefig(path, dpi=120)
    return True


def _draw_panel(axes: Any, metrics: Metrics, name: str) -> None:
    timesteps, values = _column(metrics, name)
    thin = {"linewidth": 0.6, "alpha": 0.5, "label": "an iteration"}
    thick = {"linewidth": 2, "label": "mean over a tenth of the run"}
    axes.plot(timesteps, values, color="tab:blue", **thin)
    axes.plot(timesteps, _smooth(values), color="tab:blue", **thick)
    for kind, marker in (("greedy", "s"), ("sampled", "o")):
        evaluated = _column(metrics, f"evaluation_{kind}_{name}")
        if evaluated[0]:
            axes.plot(*evaluated, marker, label=f"evaluation, {kind}", markersize=4)


def _column(metrics: Metrics, name: str) -> tuple[list[int], list[float]]:
    """Returns timesteps and values of an entry; records of older runs may lack it."""
    having = [record for record in metrics if name in record]
    return [r["timesteps"] for r in having], [r[name] for r in having]


def _smooth(values: Sequence[float]) -> list[float]:
    """Returns the running mean over a tenth of the run."""
    width = max(1, len(values) // 10)
    return [
        sum(values[max(0, end - width) : end]) / min(width, end)
        for end in range(1, len(values) + 1)
    ]

# SPDX-License-Identifier: Apache-2.0
"""Draws the paper's figures and one more, as far as there are results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from ganno_keras.plots.drawing import LINE_STYLES, PALETTE, new_figure

from ..analysis.runs import runs_of
from ..experiments.tasks import CNN5, RESNETS, TASKS
from ..methods.policy_names import EPISODES, PAPERS_OWN, control
from ..methods.schedules import SCHEDULES, rates_over
from ..records.cells import Cell, Row, Rows
from .layer_rates import draw_layer_rates

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
NUM_UPDATES: Final = 300
SHORTEST_BAND: Final = 2
NUMBERS: Final = "benchmarks/results has"
"""Where the numbers of a picture are, said where matplotlib is missing."""


def draw_all(rows: Rows, policy: str) -> dict[str, str]:
    """Draws every figure that has results.

    Args:
        rows: All results.
        policy: The policy that is drawn as GANNO.

    Returns:
        The caption of each figure that was drawn, by its name.
    """
    captions = {}
    for name, draw in FIGURES.items():
        figure, caption = draw(rows, policy)
        if figure is not None:
            PICTURES.mkdir(parents=True, exist_ok=True)
            # The version of matplotlib is left out, so equal pictures are equal files.
            path = PICTURES / f"{name}.png"
            figure.savefig(path, dpi=120, metadata={"Software": None})
            captions[name] = caption
    return captions


def _first(rows: Rows, cell: Cell) -> Mapping[str, Any] | None:
    """Returns the course of a cell's first seed."""
    found = runs_of(rows, cell)
    return found[0].score.course if found else None


def _learning(rows: Rows, _: str) -> tuple[Any, str]:
    """Draws Figure 2: rates and training loss early and later in meta-training."""
    courses = {
        episode: _first(
            rows,
            Cell("cnn2-fashion", control(PAPERS_OWN, episode), 1e-3, 0.1, seed=0),
        )
        for episode in EPISODES
    }
    known = {name: course for name, course in courses.items() if course}
    if len(known) < len(courses):
        return None, ""
    figure = new_figure(9.0, 7.5, NUMBERS)
    *panels, loss = figure.subplots(3, 1, sharex=True)
    panels[1].sharey(panels[0])
    for rates, color, (name, course) in zip(
        panels, PALETTE[1::-1], known.items(), strict=True
    ):
        updates = course["updates"]
        by_layer = np.array(course["learning_rates"]).T
        for layer, style, values in zip(
            course["layers"], LINE_STYLES, by_layer, strict=False
        ):
            rates.step(updates, values, style, color=color, label=layer, where="post")
        rates.set_title(name, fontsize=10)
        _label(rates, "", "learning rate")
        loss.plot(updates, course["interval_train_loss"], color=color, label=name)
    _label(loss, "updates", "training loss")
    return figure, (
        "Learning rates and training loss of the two-layer CNN on Fashion-MNIST, from "
        "0.001, weight decay 0.1. Drawn are the agents that played episodes 0 and 40 "
        f"of the meta-training of `{PAPERS_OWN}`, as in the paper."
    )


def _dynamics(rows: Rows, _: str) -> tuple[Any, str]:
    """Draws Figure 3: the layers' rates and the accuracy over a long training."""
    task = "cnn2-fashion-long"
    course = _first(rows, Cell(task, PAPERS_OWN, 1e-3, 0.1, seed=0))
    if not course:
        return None, ""
    figure = new_figure(9.0, 6.0, NUMBERS)
    axes = figure.subplots(len(course["layers"]) + 1, 1, sharex=True)
    rates = np.array(course["learning_rates"])
    for number, layer in enumerate(course["layers"]):
        axes[number].step(
            course["updates"], rates[:, number], color=PALETTE[0], where="post"
        )
        _label(axes[number], "", f"rate of {layer}", legend=False)
    axes[-1].plot(
        course["updates"], 100 * np.array(course["validation_accuracy"]), color="k"
    )
    _label(axes[-1], "updates", "accuracy in %", legend=False)
    return figure, (
        f"Learning rates of both layers under `{PAPERS_OWN}` in a training of "
        f"{TASKS[task].epochs} epochs (two-layer CNN, Fashion-MNIST, from 0.001, "
        "weight decay 0.1). Below them is the accuracy on the 1,000 held-out images "
        "that the policy watches. The paper shows the accuracy on the test set."
    )


def _robustness(methods: Sequence[str], rows: Rows, policy: str) -> tuple[Any, str]:
    decays = [0.01, 0.1]
    names = [policy if method == "GANNO" else method for method in methods]
    found = {
        (name, decay): runs_of(rows, Cell(RESNETS, name, _start(name), decay, seed=0))
        for name in names
        for decay in decays
    }
    drawn = {name for (name, _), seeds in found.items() if seeds}
    if policy not in drawn:
        return None, ""
    decays = [it for it in decays if any(found[name, it] for name in names)]
    figure = new_figure(4.5 * len(decays), 4.0, NUMBERS)
    (panels,) = figure.subplots(1, len(decays), sharey=True, squeeze=False)
    for axes, decay in zip(panels, decays, strict=True):
        for color, name in zip(PALETTE, names, strict=False):
            _draw_accuracy(axes, found[name, decay], color, name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set_title(f"weight decay {decay:g}", fontsize=10)
        _label(axes, "epoch", "accuracy in %")
    task = TASKS[RESNETS]
    absent = [name for name in names if name not in drawn]
    counts = {len(seeds) for seeds in found.values() if seeds}
    return figure, (
        f"ResNet-18 on CIFAR-10 with an initial rate of 0.001, {task.epochs} epochs, "
        "an eighth of the original width "
        f"({task.model_options['width']} channels in the first stage). Drawn is the "
        "accuracy by epoch on 1,000 held-out training images, "
        f"{_range(counts)}. What has a schedule of its own does not start from that "
        "rate. From other rates the others end elsewhere, see the table. The paper "
        "shows test accuracy, at a width and length that it does not give. It also "
        "shows VeLO, whose weights could not be downloaded here: Celo-Adam takes its "
        "place." + (f" Not run: {', '.join(absent)}." if absent else "")
    )


def _start(method: str) -> float | None:
    return None if method == "celo-adam" else 1e-3


def _draw_accuracy(axes: Any, seeds: Sequence[Row], color: str, name: str) -> None:
    if not seeds:
        return
    by_seed = 100 * np.array([row.score.course["held_out_accuracy"] for row in seeds])
    epochs = np.arange(1, by_seed.shape[1] + 1)
    axes.plot(epochs, by_seed.mean(axis=0), color=color, label=name)
    if len(seeds) >= SHORTEST_BAND:
        low, high = by_seed.min(axis=0), by_seed.max(axis=0)
        axes.fill_between(epochs, low, high, color=color, alpha=0.2, linewidth=0)


def _range(counts: set[int]) -> str:
    low, high = min(counts), max(counts)
    if high == 1:
        return "one seed"
    return f"mean and range of {low if low == high else f'{low} to {high}'} seeds"


def _schedules(_: Rows, __: str) -> tuple[Any, str]:
    figure = new_figure(9.0, 6.0, NUMBERS)
    progress = np.linspace(0.0, 1.0, NUM_UPDATES)
    for axes, name in zip(
        figure.subplots(3, 3, sharex=True, sharey=True).flat, SCHEDULES, strict=True
    ):
        axes.plot(progress, rates_over(name, 1.0, NUM_UPDATES), color=PALETTE[0])
        axes.set_title(name, fontsize=10)
        axes.grid(visible=True, alpha=0.3)
    figure.supxlabel("share of the training", fontsize=10)
    figure.supylabel("learning rate by the initial or peak rate", fontsize=10)
    return figure, "The nine hand-made schedules, as they are used here."


def _caution(rows: Rows, _: str) -> tuple[Any, str]:
    """Draws Figure 6: GANNO from a rate of 0, and the schedule to be found."""
    course = _first(rows, Cell(CNN5, PAPERS_OWN, 0.0, 0.1, seed=0))
    if not course:
        return None, ""
    figure = new_figure(9.0, 4.0, NUMBERS)
    axes = figure.subplots()
    axes.plot(*_one_cycle(course["updates"][-1]), color="k", label="cosine one-cycle")
    rates = np.array(course["learning_rates"])
    for number, layer in enumerate(course["layers"]):
        # Thinner from layer to layer, since they often have the same rate.
        axes.step(
            course["updates"],
            rates[:, number],
            linewidth=4.0 - 0.6 * number,
            color=PALETTE[number % len(PALETTE)],
            label=layer,
            where="post",
        )
    _label(axes, "updates", "learning rate")
    return figure, (
        f"The learning rate of each layer under `{PAPERS_OWN}`, from a rate of 0 "
        "(five-layer CNN, CIFAR-10, weight decay 0.1), beside cosine one-cycle with a "
        "peak of 0.01."
    )


def _one_cycle(num_updates: int) -> tuple[np.ndarray, np.ndarray]:
    rates = rates_over("one-cycle", 1e-2, NUM_UPDATES)
    return np.linspace(0, num_updates, NUM_UPDATES), rates


def _layers(rows: Rows, policy: str) -> tuple[Any, str]:
    """Draws the rates of layers in networks that differ from those of meta-training."""
    figure = new_figure(9.0, 12.0, NUMBERS)
    if not draw_layer_rates(figure, rows, policy):
        return None, ""
    return figure, (
        f"What each layer is given by `{policy}`, from the input down, in one training "
        "of each task. It is a learning rate or, of a policy with a base schedule, the "
        "factor on it. Orange is more, purple is less, white is the schedule itself. "
        "The weight decay is drawn if the policy sets that."
    )


def _label(axes: Any, horizontal: str, vertical: str, *, legend: bool = True) -> None:
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.grid(visible=True, alpha=0.3)
    if legend:
        axes.legend(fontsize=8)


FIGURES: Final[Mapping[str, Callable[[Rows, str], tuple[Any, str]]]] = {
    "figure2": _learning,
    "figure3": _dynamics,
    "figure4": lambda rows, policy: _robustness(
        ("random", "celo-adam", "GANNO"), rows, policy
    ),
    "figure5": _schedules,
    "figure6": _caution,
    "figure7": lambda rows, policy: _robustness(
        ("random", "celo-adam", "GANNO", "sgdr"), rows, policy
    ),
    "layers": _layers,
}

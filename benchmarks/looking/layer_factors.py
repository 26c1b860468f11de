# SPDX-License-Identifier: Apache-2.0
"""Which layers do what: the factors of a policy, by layer and by kind of training.

The policy is replayed over what agents saw on the main lines of played packs. So it
tells what it would do there, also where something else was done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from agents.expert_training.pack_files import PlayedPack
from agents.tasks.drawn_data import CLEAN_IMAGES, FROM_SCRATCH, OTHER_CLASSES
from ganno_keras.control.layer_kinds import LAYER_DEPTHS, LAYER_KINDS
from ganno_keras.plots.drawing import new_figure
from ganno_keras.policies.policy import Policy

from .replaying import replayed

PICTURE: Final = Path(__file__).parents[2] / "docs" / "pictures" / "looking_layers.png"
NUMBERS: Final = "python -m benchmarks.looking layers prints"

FEW_SAMPLES: Final = 1000
FEWEST_PACKS: Final = 2
"""Packs that a cell needs: one network says little about a kind of layer."""
LARGEST_SHOWN: Final = 1.0
"""Octaves at which the colours end."""

Chosen = Callable[[PlayedPack], np.ndarray]
"""Returns which decisions of which tasks a column takes, bool
`[num_decisions, num_tasks]`, in a shape that broadcasts to it."""


def _from_scratch(has_few: bool) -> Chosen:
    return lambda pack: np.array(
        [
            it["pretraining"] == FROM_SCRATCH
            and (it["num_samples"] < FEW_SAMPLES) == has_few
            for it in pack.record["data"]
        ]
    )


def _pretrained(kind: str) -> Chosen:
    return lambda pack: np.array(
        [it["pretraining"] == kind for it in pack.record["data"]]
    )


def _optimizer(name: str) -> Chosen:
    return lambda pack: np.array([pack.record["optimizer"] == name])


def _half(number: int) -> Chosen:
    def chosen(pack: PlayedPack) -> np.ndarray:
        length = len(pack.branches.observations)
        return 2 * np.arange(length)[:, np.newaxis] // length == number

    return chosen


COLUMNS: Final[Mapping[str, Chosen]] = {
    "from scratch, few samples": _from_scratch(has_few=True),
    "from scratch, many samples": _from_scratch(has_few=False),
    "trained before, new head": _pretrained(OTHER_CLASSES),
    "trained before, same head": _pretrained(CLEAN_IMAGES),
    "Adam": _optimizer("adam"),
    "SGD": _optimizer("sgd"),
    "Lion": _optimizer("lion"),
    "RMSprop": _optimizer("rmsprop"),
    "first half": _half(0),
    "second half": _half(1),
}
"""Kinds of training, and parts of all of them."""

ROWS: Final = tuple((kind, depth) for kind in LAYER_KINDS for depth in LAYER_DEPTHS)


class Factors(NamedTuple):
    """Mean log2 of the factors, a row for each kind and depth of a layer."""

    rows: list[str]
    octaves: np.ndarray  # [num_rows, num_columns], NaN where packs are too few
    packs: np.ndarray  # int [num_rows, num_columns]


def factors_of(policy: Policy, packs: Sequence[PlayedPack]) -> Factors:
    """Averages over the decisions, tasks and layers of each pack, then over packs."""
    spec = policy.metadata.observation_spec
    kinds, depths = spec.place("layer_kind"), spec.place("layer_depth")
    cells: dict[tuple[int, int], list[float]] = {}
    for pack in packs:
        octaves = replayed(policy, pack)
        seen = pack.branches.observations[0, 0]  # of all layers
        names = zip(
            seen[:, kinds].argmax(axis=1), seen[:, depths].argmax(axis=1), strict=True
        )
        rows = np.array(
            [ROWS.index((LAYER_KINDS[a], LAYER_DEPTHS[b])) for a, b in names]
        )
        for column, chosen in enumerate(COLUMNS.values()):
            are_taken = np.broadcast_to(chosen(pack), octaves.shape[:2])
            if are_taken.any():
                taken = octaves[are_taken].mean(axis=0)  # [num_agents]
                for row in np.unique(rows):
                    found = cells.setdefault((int(row), column), [])
                    found.append(float(taken[rows == row].mean()))
    return _factors(cells)


def lines_of_layers(found: Factors) -> list[str]:
    """A table in lines of text; the columns are numbered below it."""
    numbers = "".join(f"{it:>7}" for it in range(1, len(COLUMNS) + 1))
    lines = [
        "mean log2 of the factor, by kinds of layers and of trainings",
        f"{'':28}{numbers}",
    ]
    lines += [
        f"{name:28}" + "".join(_cell(value) for value in values)
        for name, values in zip(found.rows, found.octaves, strict=True)
    ]
    return [*lines, *(f"{it:3} {name}" for it, name in enumerate(COLUMNS, 1))]


def draw_layers(found: Factors, path: Path = PICTURE) -> None:
    """Draws a heat map: orange is more than the anchor, purple less.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    figure = new_figure(8.0, 1.8 + 0.3 * len(found.rows), NUMBERS)
    axes = figure.subplots()
    image = axes.imshow(
        found.octaves,
        cmap="PuOr_r",
        vmin=-LARGEST_SHOWN,
        vmax=LARGEST_SHOWN,
        aspect="auto",
    )
    for row, values in enumerate(found.octaves):
        for column, value in enumerate(values):
            axes.text(column, row, _cell(value).strip(), **_style(value))
    axes.set_xticks(
        range(len(COLUMNS)), list(COLUMNS), rotation=35, ha="right", fontsize=8
    )
    axes.set_yticks(range(len(found.rows)), found.rows, fontsize=8)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="octaves beside the anchor", extend="both")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def tell_layers(policy: Policy, packs: Sequence[PlayedPack]) -> list[str]:
    """Draws the picture and returns the table."""
    found = factors_of(policy, packs)
    draw_layers(found)
    return lines_of_layers(found)


def _factors(cells: Mapping[tuple[int, int], Sequence[float]]) -> Factors:
    """Arranges the values of packs; rows without any number are left out."""
    shape = (len(ROWS), len(COLUMNS))
    octaves, packs = np.full(shape, np.nan), np.zeros(shape, int)
    for place, values in cells.items():
        packs[place] = len(values)
        if len(values) >= FEWEST_PACKS:
            octaves[place] = np.mean(values)
    are_known = np.isfinite(octaves).any(axis=1)
    names = [_name(*row) for row, known in zip(ROWS, are_known, strict=True) if known]
    return Factors(names, octaves[are_known], packs[are_known])


def _name(kind: str, depth: str) -> str:
    return f"{kind}, {depth}"


def _cell(value: float) -> str:
    return f"{value:>+7.2f}" if np.isfinite(value) else f"{'·':>7}"


def _style(value: float) -> dict[str, Any]:
    is_dark = abs(value) > 0.7 * LARGEST_SHOWN
    colour = "white" if is_dark else "#333333"
    return {"ha": "center", "va": "center", "fontsize": 7, "color": colour}

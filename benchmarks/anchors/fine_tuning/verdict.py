# SPDX-License-Identifier: Apache-2.0
"""The verdict on the second experiment: fine-tuning and LoRA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.training_facts import TrainingFacts

from .. import thresholds
from ..optima import Array, LossCurve, by_cell, curve, deviation, left_out_predictions

Row = dict[str, Any]

FORMULAS: Final = {
    "GANNO(), first": RelativeRateFormula(
        pretrained=-2.5, pretrained_epochs=0.0, pretrained_alone=0.0
    ),
    "GANNO(), second": RelativeRateFormula(pretrained_epochs=-0.5),
    "GANNO()": RelativeRateFormula(),
}
HELD: Final = 0.5
"""Octaves by which the peak of `GANNO()`, which is held, lies below that of E2."""


class Found(NamedTuple):
    """What was found of one cell."""

    row: Row
    relative: LossCurve
    by_error: LossCurve
    careful: float | None  # log loss of the better of Adam 1e-3 and 1e-4
    early: Row  # of the training at the middle of the grid, for what was seen early


def lines_of_fine_tuning(rows: Sequence[Row]) -> list[str]:
    """The verdict in lines of text."""
    every = [_found(part) for part in by_cell(rows).values()]
    tuned = [it for it in every if it.row["target"] != "lora"]
    lines = [f"E2: {len(every)} cells, {len(rows)} trainings", "", *_table(every), ""]
    lines += _terms(tuned)
    lines += ["", *_models(tuned)]
    return lines


def _found(rows: list[Row]) -> Found:
    careful = [np.log(row["loss"]) for row in rows if row["run"] == "absolute"]
    relative = [row for row in rows if row["run"] == "relative"]
    errors = {row["step"]: max(1.0 - row["accuracy"], 1e-3) for row in relative}
    early = min(relative, key=lambda row: abs(row["step"] + 3))
    return Found(
        rows[0],
        curve(rows, "relative"),
        LossCurve.of(errors),
        float(min(careful)) if careful else None,
        early,
    )


def _table(cells: Sequence[Found]) -> list[str]:
    lines = [
        f"{'cell':48} {'octaves':>8} {'by error':>8} {'best rho':>9} "
        f"{'against Adam 1e-3/1e-4':>23}"
    ]
    for it in cells:
        rate = it.row["formula_rate"] * 2.0**it.relative.best_step
        careful = "" if it.careful is None else f"{it.relative.least - it.careful:+.3f}"
        lines.append(
            f"{it.row['cell']:48} {it.relative.best_step:+8.2f} "
            f"{it.by_error.best_step:+8.2f} {rate:9.5f} {careful:>23}"
        )
    return lines


def _terms(cells: Sequence[Found]) -> list[str]:
    lines = ["Mean octaves from the formula for a fresh layer, with the SD:"]
    for name in ("origin", "target", "optimizer", "network"):
        for value in sorted({it.row[name] for it in cells}):
            part = [it.relative.best_step for it in cells if it.row[name] == value]
            lines.append(
                f"  {name:9} {value:12} {np.mean(part):+.2f} ({np.std(part):.2f}, "
                f"{len(part)} cells)"
            )
    return lines


def _features(cells: Sequence[Found], names: Sequence[str]) -> Array:
    columns = {
        "one": [1.0 for _ in cells],
        "epochs": [np.log2(max(it.row["epochs"], 1.0)) for it in cells],
        "head": [float(it.row["target"] == "new-head") for it in cells],
        "length": [float(it.row["origin"] == "cifar300") for it in cells],
        "loss": [np.log(it.row["untrained_loss"]) for it in cells],
        "fall": [
            np.log(it.early["early_loss"] / it.early["first_loss"]) for it in cells
        ],
        "ratio": [it.early["ratio_change"] for it in cells],
    }
    return np.array([columns[name] for name in names], float).T


def _models(cells: Sequence[Found]) -> list[str]:
    offsets = np.array([it.relative.best_step for it in cells])
    lines = ["What tells the best step, leave-one-out:"]
    for names in (
        ("one",),
        ("one", "epochs"),
        ("one", "epochs", "head"),
        ("one", "epochs", "loss"),
        ("one", "epochs", "fall"),
        ("one", "epochs", "ratio"),
        ("one", "epochs", "head", "length"),
    ):
        features = _features(cells, names)
        predicted = left_out_predictions(features, offsets)
        error = deviation(predicted - offsets)
        lines.append(
            f"  {' + '.join(names):30} SD {error:.2f} octaves; "
            f"{_harm(cells, predicted)}"
        )
    lines.append(
        f"  thresholds: SD {thresholds.E2_LARGEST_SD}, harm "
        f"{thresholds.E2_LARGEST_HARM} at most"
    )
    for step in (-1.0, -2.0, -3.0):
        fixed = np.full(len(cells), step)
        lines.append(f"  pretrained term {step:+.0f} for all: {_harm(cells, fixed)}")
    for name, formula in FORMULAS.items():
        steps = np.array([step_of(formula, it.row) for it in cells])
        lines.append(f"  the rates of {name}: {_harm(cells, steps)}")
    return lines


def step_of(formula: RelativeRateFormula, row: Row) -> float:
    """Octaves from the first formula to what this one gives pretrained layers."""
    names = ("num_updates", "epochs", "batch_size", "width", "momentum")
    facts = TrainingFacts(**{name: row[name] for name in names})
    is_pretrained = [True, row["target"] == "same-head"]
    rate = formula.rates(facts, ["linear"] * 2, is_pretrained)[0]
    return float(np.log2(rate / row["formula_rate"])) + HELD


def _harm(cells: Sequence[Found], predicted: Array) -> str:
    """The regrets, and how far below the careful rates of Adam the worst is."""
    regrets, harms, of_errors = [], [], []
    for it, step in zip(cells, predicted, strict=True):
        regrets.append(it.relative.regret(step))
        of_errors.append(it.by_error.regret(step))
        if it.careful is not None:
            harms.append(regrets[-1] + it.relative.least - it.careful)
    worst, share = max(harms), np.mean(np.array(harms) > thresholds.E2_LARGEST_HARM)
    return (
        f"regret mean {np.mean(regrets):.3f}, of the log error "
        f"{np.mean(of_errors):.3f}; against the better of Adam 1e-3 and 1e-4 "
        f"mean {np.mean(harms):+.3f}, worst {worst:+.3f}, harmed {share:.0%}"
    )

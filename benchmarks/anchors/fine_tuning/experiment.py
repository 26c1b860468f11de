# SPDX-License-Identifier: Apache-2.0
"""The second experiment: fine-tuning and LoRA."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from ..cells import Cell, Network
from ..optima import next_step
from ..scratch.experiment import outcome_row
from ..trainings import SEED, CellTrainings, Data, formula_rate, new_model
from .cells import (
    CAREFUL_RATES,
    FIRST_FINE_TUNING_STEPS,
    FIRST_LORA_STEPS,
    e2_cells,
)
from .data import NUM_PRETRAINING, fine_tuning_data, pretraining_data

Row = dict[str, Any]

LORA_RANK: Final = 4


def cells() -> list[Cell]:
    """All cells."""
    return list(e2_cells())


def is_complete(cell: Cell, rows: Sequence[Row]) -> bool:
    """Whether nothing is missing of a cell."""
    return next(_missing(cell, list(rows)), None) is None


def carry_out(cell: Cell, rows: Sequence[Row]) -> Iterator[Row]:
    """Fine-tunes what is missing beside these rows, and gives one row a training."""
    found, data = list(rows), fine_tuning_data(cell)
    try:
        trainings = CellTrainings(cell, fine_tuned_model(cell, data), data)
        described = _described(cell, trainings)
        for run, step in _missing(cell, found):
            row = {**described, **_trained(cell, trainings, run, step)}
            found.append(row)
            yield row
    finally:
        keras.utils.clear_session()


def _missing(cell: Cell, rows: list[Row]) -> Iterator[tuple[str, float]]:
    """What is to be trained next, as long as rows are added."""
    is_lora = cell.target == "lora"
    first = FIRST_LORA_STEPS if is_lora else FIRST_FINE_TUNING_STEPS
    while True:
        losses = {it["step"]: it["loss"] for it in rows if it["run"] == "relative"}
        step = next_step(losses, first)
        if step is None:
            break
        yield "relative", step
    done = {it["step"] for it in rows if it["run"] == "absolute"}
    if cell.optimizer == "adam":
        yield from (("absolute", rate) for rate in CAREFUL_RATES if rate not in done)


def _described(cell: Cell, trainings: CellTrainings) -> Row:
    loss, _ = trainings.untrained()
    return {
        "cell": cell.name,
        "variant": cell.variant,
        "seed": SEED,
        "network": cell.network.name,
        "optimizer": cell.optimizer,
        "origin": cell.origin,
        "target": cell.target,
        **vars(trainings.facts),
        "formula_rate": formula_rate(trainings),
        "untrained_loss": loss,
    }


def _trained(cell: Cell, trainings: CellTrainings, run: str, step: float) -> Row:
    if run == "relative":
        rate = formula_rate(trainings) * 2.0**step
        peaks = np.full(len(trainings.groups), rate)
        if cell.target == "new-head":  # which trains as from scratch
            peaks[-1] = formula_rate(trainings)
        outcome = trainings.relative(peaks)
    else:
        rate = step
        outcome = trainings.absolute(rate)
    return {"run": run, "step": step, "rate": rate, **outcome_row(outcome)}


def fine_tuned_model(cell: Cell, data: Data) -> keras.Model:
    """The network of a cell, with what pretraining left in its weights."""
    weights = _pretrained_weights(cell.network, cell.origin)
    model = new_model(cell.network, data.train)
    if cell.target.endswith("same-head"):
        model.set_weights(weights)
        return model
    model.set_weights([*weights[:-2], *model.get_weights()[-2:]])
    if cell.target == "lora":
        *frozen, hidden, _ = model.layers
        for layer in frozen:
            layer.trainable = False
        hidden.enable_lora(LORA_RANK)
    return model


def _pretrained_weights(network: Network, origin: str) -> list[np.ndarray]:
    """Trains a network on the data of its origin, or finds what came of it before."""
    folder = Path(tempfile.gettempdir()) / "ganno-anchors"
    path = folder / f"{network.name}-{origin}.npz"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        length = int(origin.lstrip("abcdefghijklmnopqrstuvwxyz"))
        cell = Cell(replace(network, num_samples=NUM_PRETRAINING), "adam", length)
        data = pretraining_data(origin)
        model = new_model(network, data.train)
        trainings = CellTrainings(cell, model, data)
        outcome = trainings.relative(formula_rate(trainings))
        print(f"pretrained {path.stem}: {outcome.accuracy:.3f}", flush=True)
        whole = folder / f"{os.getpid()}.npz"
        np.savez(whole, *model.get_weights())
        whole.replace(path)
    with np.load(path) as arrays:
        return [arrays[f"arr_{place}"] for place in range(len(arrays.files))]

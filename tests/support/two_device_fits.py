# SPDX-License-Identifier: Apache-2.0
"""Whole fits with GANNO on two devices, and the same fits on one."""

from __future__ import annotations

import dataclasses
import functools
import json
import sys
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

# The first import: it asks for two devices.
from tests.support.two_devices import Scope, distance, two_devices

# isort: split
import keras
import numpy as np

from ganno_keras import GANNO
from ganno_keras.policies import ScriptedPolicy
from tests.support.models import (
    embedding_layers,
    rich_layers,
    state_of,
    tiny_data,
    tiny_model,
)
from tests.support.policies import RecurrentPolicy

X, Y = tiny_data(96)
HELD_OUT = (X[64:], Y[64:])
BATCH_SIZE = 16
# Under Keras' distribution on JAX the data is spread only inside the scope.
FITS_INSIDE = keras.backend.backend() == "jax"


@dataclasses.dataclass
class Case:
    """A model, and how GANNO and `fit` are called.

    Args:
        model: Makes the compiled model.
        ganno: Arguments of GANNO.
        fit: Arguments of `fit`.
        fits_inside: Whether `fit` is called inside the scope of the devices.
    """

    model: Callable[[], keras.Model]
    ganno: dict[str, Any] = dataclasses.field(default_factory=dict)
    fit: dict[str, Any] = dataclasses.field(default_factory=dict)
    fits_inside: bool = FITS_INSIDE


CASES = {
    "a sample held by GANNO": Case(
        lambda: tiny_model(keras.optimizers.Adam(0.01)),
        ganno={"validation_data": HELD_OUT},
    ),
    "validation in fit, sparse gradients": Case(
        lambda: tiny_model(
            keras.optimizers.SGD(0.01, momentum=0.9), layers=embedding_layers
        ),
        fit={"validation_data": HELD_OUT},
    ),
    "no accuracy, fit inside the scope": Case(
        lambda: tiny_model(
            keras.optimizers.AdamW(0.01, weight_decay=0.1),
            metrics=None,
        ),
        ganno={"validation_data": HELD_OUT},
        fits_inside=True,
    ),
}


def by_coarse_observations() -> ScriptedPolicy:
    """A wrong number in an observation changes the action, and a rounding does not."""

    def script(_: int, observation: np.ndarray, __: Any) -> np.ndarray:
        return (np.abs(observation).sum(axis=1) * 10).astype(np.int64) % 9

    return ScriptedPolicy("by-coarse-observations", script)


def run(
    scope: Scope, case: Case, policy: Any, *callbacks: keras.callbacks.Callback
) -> tuple[keras.Model, GANNO]:
    """Trains for three epochs of four updates; decides after every second one."""
    with scope():
        model = case.model()
    bounds = (1e-4, 0.1)
    ganno = GANNO(policy, interval=2, learning_rate_bounds=bounds, **case.ganno)
    with scope() if case.fits_inside else nullcontext():
        fit(model, ganno, *callbacks, **case.fit)
    return model, ganno


def fit(model: keras.Model, *callbacks: Any, **arguments: Any) -> None:
    defaults = {"x": X[:64], "y": Y[:64], "batch_size": BATCH_SIZE, "epochs": 3}
    model.fit(
        **{**defaults, **arguments}, shuffle=False, verbose=0, callbacks=list(callbacks)
    )


# ---------------------------------------------------------------- two against one


@functools.cache
def run_on_one(name: str) -> tuple[keras.Model, GANNO]:
    """The fit of a case on one device."""
    return run(nullcontext, CASES[name], by_coarse_observations())


def compare(both: Scope, name: str) -> dict[str, Any]:
    """What a test wants to know of a fit on two devices."""
    model, two = run(both, CASES[name], by_coarse_observations())
    single, one = run_on_one(name)
    return {
        "decisions": decisions(two) == decisions(one),
        "num_timesteps": len(two.history.timesteps),
        "num_actions": len(np.unique(two.history.actions)),
        "measurements": distance(measurements(two), measurements(one)),
        "statistics": distance(statistics(two), statistics(one)),
        "weights": distance(model.get_weights(), single.get_weights()),
    }


def decisions(ganno: GANNO) -> list[Any]:
    """All that has to be equal, and not only close."""
    history = ganno.history
    exact = [history.updates, history.actions, history.learning_rates]
    progress = history.measured("progress")
    return [array.tolist() for array in (*exact, progress)]


def measurements(ganno: GANNO) -> list[np.ndarray]:
    names = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    return [np.nan_to_num(ganno.history.measured(n), nan=-1.0) for n in names]


def statistics(ganno: GANNO) -> list[np.ndarray]:
    """One array a statistic, `[num_timesteps, num_layers]`."""
    steps = [step.measurements.statistics for step in ganno.history.timesteps]
    rows = [dataclasses.astuple(step) for step in steps]
    return [np.array(column) for column in zip(*rows, strict=True)]


def notices_a_missing_half() -> bool:
    """Whether one device gets other actions from what one of two devices sees."""
    name = "a sample held by GANNO"
    _, whole = run_on_one(name)
    half = (np.arange(64) % BATCH_SIZE) < BATCH_SIZE // 2
    data = {"x": X[:64][half], "y": Y[:64][half], "batch_size": BATCH_SIZE // 2}
    case = dataclasses.replace(CASES[name], fit=data)
    _, part = run(nullcontext, case, by_coarse_observations())
    same = np.array_equal(whole.history.actions, part.history.actions)
    return len(whole.history.timesteps) == len(part.history.timesteps) and not same


def guarded(both: Scope) -> dict[str, bool]:
    """What the guard does on two devices where the loss turns NaN, and on one."""
    targets = np.eye(3, dtype="float32")[Y[:64]]
    targets[40] = np.nan  # in the third of four batches
    case = Case(
        lambda: tiny_model(keras.optimizers.Adam(0.01), loss="mse"),
        ganno={"validation_data": (X[64:], np.eye(3, dtype="float32")[Y[64:]])},
        fit={"y": targets},
    )
    (model, two), (single, one) = (
        run(scope, case, "no-op") for scope in (both, nullcontext)
    )
    events = [
        [(event.update, event.best_update) for event in ganno.history.guard_events]
        for ganno in (two, one)
    ]
    # On two devices no batches are at hand that show the data at fault: rates are cut.
    weights = [*model.get_weights(), *single.get_weights()]
    return {
        "guards": events[0] == events[1] and len(events[0]) == 3,
        "returns": all(np.isfinite(array).all() for array in weights),
    }


# ---------------------------------------------------------------- bit by bit


def same_state(model: keras.Model, other: keras.Model) -> bool:
    """Whether two trainings are equal bit by bit."""
    pairs = zip(state_of(model), state_of(other), strict=True)
    return all(np.array_equal(one, two) for one, two in pairs)


def no_op_equals_plain(both: Scope) -> bool:
    """On both devices, with everything that a model may keep."""
    case = Case(
        lambda: tiny_model(keras.optimizers.Adam(0.01), layers=rich_layers),
        ganno={"validation_data": HELD_OUT},
        fit={"validation_data": HELD_OUT},
    )
    model, _ = run(both, case, "no-op")
    with both():
        plain = case.model()
    with both() if FITS_INSIDE else nullcontext():
        fit(plain, **case.fit)
    return same_state(model, plain)


class Stop(keras.callbacks.Callback):
    """Ends the fit in the second epoch, like a crash."""

    epoch = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if (self.epoch, batch) == (1, 2):
            raise KeyboardInterrupt


def saving_and_resuming(both: Scope, folder: Path) -> dict[str, bool]:
    """What becomes of files that were written on two devices."""
    case = CASES["a sample held by GANNO"]
    whole, expected = run(both, case, RecurrentPolicy())
    whole.save(folder / "after.keras")
    loaded = keras.saving.load_model(folder / "after.keras")
    is_saved = same_state(loaded, whole)
    fit(loaded)

    backup = keras.callbacks.BackupAndRestore
    path = str(folder / "backup")
    try:
        run(both, case, RecurrentPolicy(), backup(path), Stop())
    except KeyboardInterrupt:
        pass
    else:
        raise AssertionError("The fit was not interrupted.")
    resumed, ganno = run(both, case, RecurrentPolicy(), backup(path))
    rates = ganno.history.learning_rates
    is_same = np.array_equal(rates, expected.history.learning_rates[-len(rates) :])
    return {
        "saved": is_saved,
        "plain": type(loaded.optimizer) is type(keras.optimizers.Adam()),
        "resumed": is_same and same_state(resumed, whole) and 0 < len(rates) < 5,
    }


def main() -> None:
    """Prints what was found as a line of JSON."""
    both = two_devices()
    with tempfile.TemporaryDirectory() as folder:
        found = {
            "cases": {name: compare(both, name) for name in CASES},
            "notices": notices_a_missing_half(),
            "no-op": no_op_equals_plain(both),
            **guarded(both),
            **saving_and_resuming(both, Path(folder)),
        }
    sys.stdout.write(json.dumps(found) + "\n")

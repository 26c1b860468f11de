# SPDX-License-Identifier: Apache-2.0
"""A model's own `test_step` as a function: sums out, nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, Self

import keras
import numpy as np
from keras import ops, tree

from ganno_keras.monitoring.loss_source import LossSource
from ganno_keras.monitoring.metric_sums import counts_nothing, mean_metrics, sums_of
from ganno_keras.monitoring.step_parts import step_parts
from ganno_keras.optimizers.backend import to_host

Batch = tuple[Any, ...]
Results = dict[str, list[Any]]  # total and count of each mean, and the returned loss
Step = Callable[[Batch], Results]

KEPT_STEP: Final = "_kept_test_step"
"""The attribute that a step is kept in."""


class StatelessTestStep:
    """A test step on one batch with fresh metrics, of which only sums remain.

    Only the library of the backend in use is imported.

    Args:
        model: A compiled model.
        compiled: Whether to compile the step, unless the model runs eagerly.
    """

    def __init__(self, model: keras.Model, *, compiled: bool = True) -> None:
        self._model = model
        self._made_for = step_parts(model, model.test_step)
        self._source = LossSource(model, "test_step")
        make = _MAKERS[keras.backend.backend()]
        self._step = make(model, compiled and not model.run_eagerly)

    @classmethod
    def kept_in(cls, shelf: object, model: keras.Model) -> Self:
        """Returns the step that is kept in the attributes of an object.

        It is made where there is none, or where something has changed since. To trace
        it takes longer than many a fit.

        Args:
            shelf: What lives as long as the step is wanted.
            model: A compiled model.
        """
        kept: Self | None = vars(shelf).get(KEPT_STEP)
        if kept is None or not kept.fits(model):
            kept = vars(shelf)[KEPT_STEP] = cls(model)
        return kept

    def fits(self, model: keras.Model) -> bool:
        """Returns whether the step was made for this model as it is now."""
        return self._made_for == step_parts(model, model.test_step)

    def __call__(self, batch: Batch) -> np.ndarray:
        """Returns totals and counts of the batch, float64 `[1 + num_accuracies, 2]`."""
        results = tree.map_structure(_to_float, self._step(batch))
        totals = np.array(results["totals"], np.float64).reshape(-1, 2)
        returned = next(iter(results["returned"]), None)
        self._source.see(totals, returned)
        sums = sums_of(self._model, totals, self._source)
        if counts_nothing(sums) and returned is not None:
            size = len(tree.flatten(batch)[0])
            sums[0] = (size * returned, size)
        return sums


def _to_float(tensor: Any) -> float:
    return float(np.mean(to_host(tensor)))


def _results(model: keras.Model, logs: Any, value: Callable[[Any], Any]) -> Results:
    """Returns totals and counts of all means, and the loss that the step gave."""
    totals = [(value(it.total), value(it.count)) for it in mean_metrics(model)]
    returned = [logs["loss"]] if isinstance(logs, dict) and "loss" in logs else []
    return {"totals": totals, "returned": returned}


def _changing_nothing(model: keras.Model, batch: Batch) -> Results:
    # Without these values regularizers get None; losses are those of `add_loss`.
    weights = [(variable, variable.value) for variable in model.trainable_variables]
    with keras.StatelessScope(weights, collect_losses=True):
        model.reset_metrics()
        logs = model.test_step(batch)
        return _results(model, logs, lambda variable: variable.value)


def _on_tensorflow(model: keras.Model, compiled: bool) -> Step:
    tf = import_module("tensorflow")

    def step(batch: Batch) -> Results:
        return _changing_nothing(model, batch)

    return (
        tf.function(step, reduce_retracing=True, jit_compile=model.jit_compile)
        if compiled
        else step
    )


def _on_torch(model: keras.Model, _: bool) -> Step:
    torch = import_module("torch")

    def step(batch: Batch) -> Results:
        with torch.no_grad():
            return _changing_nothing(
                model, tree.map_structure(ops.convert_to_tensor, batch)
            )

    return step


def _on_jax(model: keras.Model, compiled: bool) -> Step:
    jax = import_module("jax")

    def pure(state: Any, batch: Batch) -> Results:
        *weights, metrics = state
        fresh = [ops.zeros_like(value) for value in metrics]
        logs, (*_, metrics) = model.test_step((*weights, fresh), batch)
        values = dict(zip(map(id, model.metrics_variables), metrics, strict=True))
        return _results(model, logs, lambda variable: values[id(variable)])

    run = jax.jit(pure) if compiled else pure

    def step(batch: Batch) -> Results:
        state = [
            [variable.value for variable in variables]
            for variables in (
                model.trainable_variables,
                model.non_trainable_variables,
                model.metrics_variables,
            )
        ]
        return run(state, batch)

    return step


_MAKERS: dict[str, Callable[[keras.Model, bool], Step]] = {
    "tensorflow": _on_tensorflow,
    "torch": _on_torch,
    "jax": _on_jax,
}

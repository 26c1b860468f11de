# SPDX-License-Identifier: Apache-2.0
"""The training steps that Keras makes of a model: with and without layerwise rates.

To trace a step takes longer than many a fit. Both steps are kept from fit to fit, and
made anew only where something has changed that goes into them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import keras

from ganno_keras.guard.batch_keeper import gives_out, unwatched
from ganno_keras.monitoring.step_parts import step_parts
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

_KEPT: Final = "_kept_training_step"
_KEEPS_TRACES: Final = keras.backend.backend() == "jax"
"""Whether two steps of one model may share what was traced of the first."""

Step = Callable[..., Any]


class TrainingSteps:
    """The training steps that a model is given before a fit and after it.

    Args:
        model: The compiled model, as it is before the fit.
        layerwise: Its optimizer, with layerwise rates already.
    """

    def __init__(self, model: keras.Model, layerwise: LayerwiseOptimizer) -> None:
        self._model = model
        self._table = layerwise.table
        self._plain: Step | None = model.train_function
        self._made_for = _what_goes_in(model)
        kept: _Kept | None = vars(self._table).pop(_KEPT, None)
        if kept is not None and kept.is_right(model, self._made_for):
            self._table.was_read = True
            model.train_function = kept.layerwise
        else:
            model.train_function = None
            if _KEEPS_TRACES:
                _make_anew(model)

    def give_back(self, layerwise_step: Step | None) -> None:
        """Restores the plain step, and keeps the other one for the next fit.

        Args:
            layerwise_step: What Keras has made for the fit, as it made it.
        """
        plain = self._plain or _made_when_called(self._model)
        if _what_goes_in(self._model)[1:] != self._made_for[1:]:
            # A layer was unfrozen in the fit, say, and was not in the step before it.
            plain = _made_when_called(self._model)
        self._model.train_function = plain
        if layerwise_step is not None and self._table.built:
            kept = _Kept(unwatched(layerwise_step), plain, self._made_for)
            vars(self._table)[_KEPT] = kept


class _Kept:
    """A step with layerwise rates, for the next fit."""

    def __init__(self, layerwise: Step, plain: Step, made_for: list[Any]) -> None:
        self.layerwise = layerwise
        self._plain = plain
        self._made_for = made_for

    def is_right(self, model: keras.Model, made_for: list[Any]) -> bool:
        """Returns whether no part of the step has changed since it was made.

        Who compiles a model, or resets its training function, wants a new one.
        """
        left = model.train_function
        return made_for == self._made_for and (
            left is self._plain or left is getattr(self._plain, "made", self._plain)
        )


def _made_when_called(model: keras.Model) -> Step:
    """Stands for a plain step that perhaps nobody needs."""

    def step(*args: Any, **kwargs: Any) -> Any:
        _make_anew(model)
        vars(step)["made"] = model.train_function
        return model.train_function(*args, **kwargs)

    return step


def _make_anew(model: keras.Model) -> None:
    """Makes a step of a function that no step was made of before.

    To JAX the bound methods of a model are one function. While a step of it is kept,
    the next is not traced: it would train with the optimizer and the loss that the
    model was compiled with before.
    """
    if not _KEEPS_TRACES:
        model.make_train_function(force=True)
        return
    bound, own = model.train_step, vars(model).get("train_step")

    @functools.wraps(bound)
    def train_step(*args: Any, **kwargs: Any) -> Any:
        return bound(*args, **kwargs)

    # Past Keras' own __setattr__, which would track the attribute.
    vars(model)["train_step"] = train_step
    try:
        model.make_train_function(force=True)
    finally:
        if own is None:
            del vars(model)["train_step"]
        else:
            vars(model)["train_step"] = own


def _what_goes_in(model: keras.Model) -> list[Any]:
    """Returns all parts of a training step that may change without `compile`."""
    step = model.train_step
    for_guard = gives_out(step)
    step = step.__wrapped__ if for_guard else step
    return [
        for_guard,
        getattr(model, "steps_per_execution", 1),
        *step_parts(model, step),
    ]

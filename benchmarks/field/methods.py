# SPDX-License-Identifier: Apache-2.0
"""The rows of the field: who sets the learning rates of the author's training.

- `author`: the rate as written, and what the author's callbacks do with it.
- `cosine`, `one-cycle`: from the author's rate, or from the cell's when rates are
  tuned; without callbacks that set rates, which Keras refuses beside a schedule.
- `schedule-free`, `lamb and cosine`: another optimizer at one rate for everything.
- `module:name`: a callback made by calling that name, before the author's own.
- any other name is a policy: `GANNO(policy=name)` before the author's callbacks.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import keras

from ganno_keras import GANNO

from ..methods.policy_names import identity_of
from ..methods.schedules import SCHEDULES
from ..records.cells import Cell
from .training import Fit

AUTHOR: Final = "author"
COSINE: Final = "cosine"
ONE_CYCLE: Final = "one-cycle"
TUNED_SCHEDULES: Final = (COSINE, ONE_CYCLE)
TUNED: Final = "tuned"
"""The candidate that is best on held-out samples, of all rates and both schedules."""

SCHEDULE_FREE_RATE: Final = 0.0025
"""The default of Keras."""
LAMB_RATE: Final = 0.003

Callbacks = Sequence[keras.callbacks.Callback]


class FitContext(NamedTuple):
    """What a method is told of a fit."""

    cell: Cell
    fit: Fit
    num_updates: int
    model: keras.Model  # as prepared, not yet compiled
    is_last: bool

    @property
    def rate(self) -> float:
        """The author's, but for the last fit of a cell that names another one."""
        given = self.cell.initial_learning_rate
        return given if given is not None and self.is_last else self.fit.rate


class FitParts(NamedTuple):
    """What the fit is carried out with."""

    optimizer: keras.optimizers.Optimizer
    callbacks: Callbacks


Method = Callable[[FitContext], FitParts]


def _author(context: FitContext) -> FitParts:
    fit = context.fit
    return FitParts(fit.optimizer(context.rate), fit.callbacks())


def _without_rate_setters(callbacks: Callbacks) -> Callbacks:
    kinds = (
        keras.callbacks.ReduceLROnPlateau,
        keras.callbacks.LearningRateScheduler,
    )
    return [callback for callback in callbacks if not isinstance(callback, kinds)]


def _scheduled(schedule: str, context: FitContext) -> FitParts:
    rate = SCHEDULES[schedule](context.rate, context.num_updates)
    fit = context.fit
    return FitParts(fit.optimizer(rate), _without_rate_setters(fit.callbacks()))


def _lamb(context: FitContext) -> FitParts:
    rate = SCHEDULES[COSINE](LAMB_RATE, context.num_updates)
    callbacks = _without_rate_setters(context.fit.callbacks())
    return FitParts(keras.optimizers.Lamb(rate), callbacks)


def _schedule_free(context: FitContext) -> FitParts:
    """Built before `fit`: left to it, Keras 3.15.1 starts from weights of zero."""
    optimizer = keras.optimizers.ScheduleFreeAdamW(SCHEDULE_FREE_RATE)
    optimizer.build(context.model.trainable_variables)
    return FitParts(optimizer, _without_rate_setters(context.fit.callbacks()))


METHODS: Final[Mapping[str, Method]] = {
    AUTHOR: _author,
    COSINE: partial(_scheduled, COSINE),
    ONE_CYCLE: partial(_scheduled, ONE_CYCLE),
    "lamb and cosine": _lamb,
    "schedule-free": _schedule_free,
}


def find_method(name: str) -> Method:
    """Finds a row by its name; see the top of this module.

    Raises:
        ValueError: If it is written as `module:name` and there is no such thing.
    """
    if name in METHODS:
        return METHODS[name]
    if _is_address(name):
        return partial(_before_the_authors, _named(name))
    return lambda context: _before_the_authors(
        lambda: GANNO(name, seed=context.cell.seed, log_learning_rates=False),
        context,
    )


def identity(name: str) -> dict[str, Any]:
    """What besides a row's name decides over its results: see `identity_of`.

    Raises:
        ValueError: If it is neither a known row nor a policy.
    """
    if name in METHODS or _is_address(name):
        return {}
    return dict(identity_of(name))


def _is_address(name: str) -> bool:
    """Whether it is written as `module:name`."""
    return ":" in name and not name.startswith("hf://")


def _before_the_authors(
    make: Callable[[], keras.callbacks.Callback], context: FitContext
) -> FitParts:
    written = _author(context)
    return written._replace(callbacks=[make(), *written.callbacks])


def _named(name: str) -> Callable[[], Any]:
    module, _, attribute = name.partition(":")
    try:
        found: Callable[[], Any] = getattr(importlib.import_module(module), attribute)
    except (AttributeError, ImportError) as error:
        raise ValueError(
            f"The method {name!r} cannot be found: {error}. Write MODULE:NAME of "
            "something that makes a callback when it is called without arguments."
        ) from error
    return found

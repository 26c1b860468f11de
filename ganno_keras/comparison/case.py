# SPDX-License-Identifier: Apache-2.0
"""The user's own training: a model and the arguments of `fit`, checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import keras
from keras import ops

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.control.layer_groups import check_keras_model

BuildModel = Callable[[], keras.Model]
Data = Mapping[str, Any] | Callable[[], Mapping[str, Any]]

_KNOWN: Final = tuple(
    name for name in inspect.signature(keras.Model.fit).parameters if name != "self"
)


class Case:
    """What is trained again and again.

    Args:
        build_model: Returns a new, compiled model each time it is called.
        data: The arguments of `fit`, or a function that returns them.

    Raises:
        TypeError: If an argument is of another kind.
        ValueError: If a mapping holds what only one training can use.
    """

    def __init__(self, build_model: BuildModel, data: Data) -> None:
        if not callable(build_model) or isinstance(build_model, keras.Model):
            raise TypeError(
                f"build_model is {build_model!r}; a function is needed that returns a "
                "new, compiled model each time, since every training needs its own."
            )
        if not callable(data) and not isinstance(data, Mapping):
            raise TypeError(
                f"data is of type {type(data).__name__}; the arguments of fit are "
                "needed, such as dict(x=x, y=y, epochs=10, validation_data=(x_val, "
                "y_val)), or a function that returns them."
            )
        if isinstance(data, Mapping):
            _refuse_used_up(data)
        self._build_model = build_model
        self._data = data

    def model(self) -> keras.Model:
        """Returns a new model.

        Raises:
            TypeError: If it is no model of Keras.
            ValueError: If it is not compiled.
        """
        model = self._build_model()
        check_keras_model(model)
        if not model.compiled:
            raise ValueError(
                f"build_model returned {model.name!r}, which is not compiled. Call "
                "model.compile(...) in it, as for your own training."
            )
        return model

    def check_starts_anew(self, model: keras.Model) -> None:
        """Checks that training a model would not change the next one.

        Weights that models share and that none trains are no harm, nor are those that
        `build_model` sets anew.

        Args:
            model: As returned by `model()`, with its weights.

        Raises:
            ValueError: If weights or the optimizer would go on from where the training
                before has left them.
        """
        optimizer = model.optimizer
        own = {id(it) for it in model.trainable_variables}
        following = self.model()  # may be the same object, compiled anew
        if following.optimizer is optimizer:
            raise ValueError(
                "build_model returned the same optimizer twice, which would go on from "
                "the training before. Make a new one in it."
            )
        shared = [it for it in following.trainable_variables if id(it) in own]
        if shared and not _are_set_anew(shared, self.model):
            raise ValueError(
                f"build_model returned {shared[0].path!r} and {len(shared) - 1} more "
                "trainable weights twice, which would go on from the training before. "
                "Make or load them in build_model, or set them anew in it."
            )

    def fit_arguments(self) -> dict[str, Any]:
        """Returns the arguments of `fit`; callbacks are a list.

        Raises:
            TypeError: If the function returned no mapping, or callbacks are no list.
            ValueError: If `fit` knows no such argument, or GANNO is among them.
        """
        given = self._data if isinstance(self._data, Mapping) else self._data()
        if not isinstance(given, Mapping):
            raise TypeError(
                f"data() returned {type(given).__name__}; a mapping of fit's arguments "
                "is needed, such as dict(x=x, y=y, epochs=10)."
            )
        unknown = sorted(set(given) - set(_KNOWN))
        if unknown:
            raise ValueError(
                f"data has {', '.join(map(repr, unknown))}, which model.fit does not "
                f"know. It knows {', '.join(_KNOWN)}."
            )
        return {"verbose": 0, **given, "callbacks": _as_list(given.get("callbacks"))}


def _are_set_anew(weights: Sequence[keras.Variable], build_model: BuildModel) -> bool:
    """Returns whether weights that were moved are elsewhere in the next model.

    They are where they were, in the end.
    """
    before = [ops.copy(it.value) for it in weights]
    for weight in weights:
        weight.assign_add(ops.ones_like(weight.value))
    moved = [ops.copy(it.value) for it in weights]
    try:
        build_model()
        stays = [ops.all(it == to) for it, to in zip(weights, moved, strict=True)]
    finally:
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)
    return not any(map(bool, stays))


def _as_list(callbacks: Any) -> list[keras.callbacks.Callback]:
    if callbacks is None:
        return []
    given = list(callbacks) if isinstance(callbacks, Sequence) else [callbacks]
    if not all(isinstance(it, keras.callbacks.Callback) for it in given):
        raise TypeError(f"callbacks is {callbacks!r}; a list of callbacks is needed.")
    if any(isinstance(it, GANNO) for it in given):
        raise ValueError(
            "There is a GANNO among the callbacks. Leave it out: compare trains with "
            "and without one, and takes its settings as ganno=dict(...)."
        )
    return given


def _refuse_used_up(data: Mapping[str, Any]) -> None:
    """Refuses what the first training would use up for the others."""
    if isinstance(data.get("x"), Iterator):
        raise ValueError(
            "x is an iterator, which the first training would use up. Pass a function "
            "that makes a new one: compare(build_model, lambda: dict(x=..., epochs=5))."
        )
    if data.get("callbacks"):
        raise ValueError(
            "data has callbacks, which would remember the training before. Pass a "
            "function that makes new ones: compare(build_model, lambda: dict(x=x, y=y, "
            "callbacks=[...]))."
        )

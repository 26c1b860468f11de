# SPDX-License-Identifier: Apache-2.0
"""Undoing what a callback changed when a fit ends in an exception.

Keras calls `on_train_end` only if all went well. After an interrupt the model must not
go on with somebody else's learning rates, neither in the next line nor in the next fit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import keras

_GUARDED = ("fit", "compile")


class FitGuard:
    """Calls `undo` as soon as a fit is known to have failed, and at most once.

    That is at once if the exception comes from a training step or from GANNO itself, or
    if it is Ctrl-C in the fit's validation. An exception elsewhere (another callback,
    the data, validation) is noticed at the latest when `fit` or `compile` is called
    again: for that long the model carries functions that hide its own.

    Args:
        model: The model whose fit is watched.
        owner: The callback that changed something.
        undo: Puts the model back into its own state.
    """

    def __init__(
        self, model: keras.Model, owner: object, undo: Callable[[], None]
    ) -> None:
        self._model = model
        self._undo = undo
        self.owner = owner
        for name in _GUARDED:
            # Past Keras' own __setattr__, which would track the attribute.
            vars(model)[name] = self._undoing_first(name)
        vars(model)["evaluate"] = self._undoing_at_interrupt("evaluate")
        vars(model)["_ganno_guard"] = self

    @staticmethod
    def of(model: keras.Model) -> FitGuard | None:
        """The guard that watches a model, if there is one."""
        return vars(model).get("_ganno_guard")

    def release(self) -> None:
        """Stops watching and undoes; harmless when called again."""
        if FitGuard.of(self._model) is self:
            for name in (*_GUARDED, "evaluate", "_ganno_guard"):
                vars(self._model).pop(name, None)
            self._undo()

    @staticmethod
    def watch_step(model: keras.Model) -> None:
        """Watches the training step that Keras has made for the model."""
        guard, step = FitGuard.of(model), model.train_function
        if guard is None or step is None:
            return

        @functools.wraps(step)
        def watched(*args: Any, **kwargs: Any) -> Any:
            try:
                return step(*args, **kwargs)
            except BaseException as error:
                if not _is_end_of_data(error):
                    guard.release()
                raise

        model.train_function = watched

    def _undoing_first(self, name: str) -> Callable[..., Any]:
        original = getattr(self._model, name)

        @functools.wraps(original)
        def undo_and_call(*args: Any, **kwargs: Any) -> Any:
            self.release()
            return original(*args, **kwargs)

        return undo_and_call

    def _undoing_at_interrupt(self, name: str) -> Callable[..., Any]:
        original = getattr(self._model, name)

        @functools.wraps(original)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                return original(*args, **kwargs)
            except Exception:
                raise  # Perhaps somebody in the fit knows what to do about it.
            except BaseException:
                self.release()
                raise

        return call


def _is_end_of_data(error: BaseException) -> bool:
    """Keras ends an epoch of unknown length by these."""
    return isinstance(error, StopIteration) or type(error).__name__ == "OutOfRangeError"

# SPDX-License-Identifier: Apache-2.0
"""The undoing of a callback's changes when a fit ends in an exception.

Keras calls `on_train_end` only if all went well. After an interrupt the model must not
keep somebody else's learning rates, neither in the next line nor in the next fit.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from typing import Any

import keras

from ganno_keras.fit.watching.callback_list import WatchedCallbacks

_GUARDED = ("fit", "compile", "train_on_batch")


class UndoOnFailure:
    """A guard that calls `undo` at most once, when a fit is known to have failed.

    That is at once if the exception comes from a training step or a callback, or if it
    is Ctrl-C in the fit's validation. An exception elsewhere (the data, validation) is
    noticed at the latest when the model is trained or compiled again. Until then the
    model carries functions that hide its own.

    Args:
        model: The model whose fit is watched.
        owner: The callback that changed something.
        undo: Restores the model's own state.
        callbacks: The list of callbacks of the fit; None if it is not known.
        see_batch: Hears of each batch of a loop of the user's own that
            `train_on_batch` has trained. Batches that callbacks train do not count.
    """

    def __init__(
        self,
        model: keras.Model,
        owner: object,
        undo: Callable[[], None],
        callbacks: keras.callbacks.CallbackList | None = None,
        see_batch: Callable[[], None] | None = None,
    ) -> None:
        self._model = model
        self._undo = undo
        self._see_batch = see_batch
        self.owner = owner
        self.thread = threading.current_thread()
        self._watched = None
        if callbacks is not None:
            self._watched = WatchedCallbacks(callbacks, self.release)
        hiding = {name: self._undoing_first(name) for name in _GUARDED}
        hiding["evaluate"] = self._undoing_at_interrupt("evaluate")
        # What the user has put there on this one model is restored later.
        self._hidden = {
            name: vars(model)[name] for name in hiding if name in vars(model)
        }
        self._hiding = {**hiding, "_ganno_guard": self}
        # Past Keras' own __setattr__, which would track the attributes.
        vars(model).update(self._hiding)

    @staticmethod
    def of(model: keras.Model) -> UndoOnFailure | None:
        """Returns the guard that watches a model, if there is one."""
        return vars(model).get("_ganno_guard")

    def release(self) -> None:
        """Stops watching and undoes; harmless when called again."""
        if UndoOnFailure.of(self._model) is self:
            for name, value in self._hiding.items():
                if vars(self._model).get(name) is value:
                    del vars(self._model)[name]
                    vars(self._model).update(
                        {name: self._hidden[name]} if name in self._hidden else {}
                    )
            if self._watched is not None:
                self._watched.release()
            self._undo()

    @staticmethod
    def watch_step(model: keras.Model) -> None:
        """Watches the training step that Keras has made for the model."""
        guard, step = UndoOnFailure.of(model), model.train_function
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

    @property
    def _is_in_fit(self) -> bool:
        """Whether a callback is at work, or a batch of a loop of the user's own."""
        watched = self._watched
        return watched is None or watched.is_at_work or watched.is_in_batch

    def _undoing_first(self, name: str) -> Callable[..., Any]:
        original = getattr(self._model, name)

        @functools.wraps(original)
        def undo_and_call(*args: Any, **kwargs: Any) -> Any:
            # A callback may train the model on a batch of its own in the fit, and a
            # loop of the user's own on each batch.
            if name != "train_on_batch" or not self._is_in_fit:
                self._warn_if_called_by_callback(name)
                self.release()
            is_of_loop = name == "train_on_batch" and not self._is_called_by_callback
            result = original(*args, **kwargs)
            if is_of_loop and UndoOnFailure.of(self._model) is self:
                self._tell_of_batch()
            return result

        return undo_and_call

    @property
    def _is_called_by_callback(self) -> bool:
        return self._watched is not None and self._watched.is_at_work

    def _tell_of_batch(self) -> None:
        if self._see_batch is not None:
            self._see_batch()

    def _warn_if_called_by_callback(self, name: str) -> None:
        if self._is_called_by_callback:
            warnings.warn(
                f"GANNO steps aside: a callback called model.{name} in the middle of a "
                "fit. What is left of the fit is trained at the optimizer's own "
                f"learning rate. Call model.{name} between two fits instead.",
                stacklevel=3,
            )

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
    """Returns whether an error is how Keras ends an epoch of unknown length."""
    return isinstance(error, StopIteration) or type(error).__name__ == "OutOfRangeError"

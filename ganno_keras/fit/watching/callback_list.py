# SPDX-License-Identifier: Apache-2.0
"""The list of callbacks of a fit, and what happens when one of them fails.

Keras does not inform callbacks that a fit has ended in an exception.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, Final

import keras

_HOOKS: Final = tuple(
    name for name in dir(keras.callbacks.CallbackList) if name.startswith("on_")
)
_BATCHES: Final = ("on_train_batch_begin", "on_train_batch_end")
_MOST_FRAMES: Final = 5


class WatchedCallbacks:
    """A list of callbacks that calls a function as soon as one raises anything.

    Args:
        callbacks: The list of callbacks of the fit.
        undo: What to do then; may be called more than once.
    """

    def __init__(
        self, callbacks: keras.callbacks.CallbackList, undo: Callable[[], None]
    ) -> None:
        self._callbacks = callbacks
        self._undo = undo
        self._depth = 0
        self.is_in_batch = False
        """Whether a batch has begun and has not ended."""
        self._hooks = {
            name: hook
            for name in _HOOKS
            if callable(hook := getattr(callbacks, name, None))
        }
        self._watched = {name: self._watch(name) for name in self._hooks}
        self._before = {n: vars(callbacks)[n] for n in _HOOKS if n in vars(callbacks)}
        vars(callbacks).update(self._watched)

    @property
    def is_at_work(self) -> bool:
        """Returns whether a callback is being called now."""
        return self._depth > 0

    def release(self) -> None:
        """Restores the list."""
        for name, watched in self._watched.items():
            if vars(self._callbacks).get(name) is watched:
                del vars(self._callbacks)[name]
        vars(self._callbacks).update(self._before)

    def _watch(self, name: str) -> Callable[..., Any]:
        hook = self._hooks[name]

        @functools.wraps(hook)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._depth += 1
            if name in _BATCHES:
                self.is_in_batch = name == _BATCHES[0]
            try:
                return hook(*args, **kwargs)
            except BaseException:
                self._undo()
                raise
            finally:
                self._depth -= 1

        return watched


def calling_list(callback: keras.callbacks.Callback) -> Any:
    """Returns the list of callbacks whose method is calling one of them now.

    Returns:
        None if something else calls the callback, or if Python gives no frames.
    """
    if not hasattr(sys, "_getframe"):
        return None
    frame = sys._getframe(1)
    for _ in range(_MOST_FRAMES):
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList) and any(
            it is callback for it in getattr(caller, "callbacks", ())
        ):
            return caller
        if frame.f_back is None:
            return None
        frame = frame.f_back
    return None

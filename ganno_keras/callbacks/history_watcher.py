# SPDX-License-Identifier: Apache-2.0
"""What callbacks that look at another one, GANNO, have in common."""

# ruff: noqa: ARG002  the arguments of the methods are Keras'

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.control.history import Timestep


class HistoryWatcher(keras.callbacks.Callback):
    """Is told of GANNO's decisions soon after they were taken; changes nothing.

    A subclass defines `see`, and `finish` if it has something to do at the end.

    Args:
        ganno: The callback to look at, in the same list of callbacks.

    Raises:
        TypeError: If `ganno` is something else.
        ValueError: In `fit`, if `ganno` is not in the list of callbacks.
    """

    # It only reads what GANNO has kept: it is right whenever it is called.
    async_safe = True

    def __init__(self, ganno: GANNO) -> None:
        super().__init__()
        if not isinstance(ganno, GANNO):
            raise TypeError(
                f"{type(self).__name__} was given {ganno!r}; it needs the GANNO "
                "callback that it shall look at. Make that one first: "
                f"ganno = GANNO(), callbacks=[ganno, {type(self).__name__}(ganno)]."
            )
        self.ganno = ganno
        self._num_seen = 0

    def see(self, timesteps: Sequence[Timestep]) -> None:
        """Gets the decisions since the last call, at least one."""

    def finish(self) -> None:
        """The fit has come to its end, and all decisions were seen."""

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Starts anew with every fit."""
        if getattr(self.ganno, "_model", None) is not self._model:
            raise ValueError(
                f"{type(self).__name__} looks at a GANNO that is not in the list of "
                f"callbacks of this fit. Pass both: callbacks=[ganno, "
                f"{type(self).__name__}(ganno)]."
            )
        self._num_seen = 0

    def on_train_batch_end(
        self, batch: int, logs: Mapping[str, Any] | None = None
    ) -> None:
        """Looks whether there is anything new; costs nothing if not."""
        self._look()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Takes a last look."""
        self._look()
        self.finish()

    def _look(self) -> None:
        timesteps = self.ganno.history.timesteps
        if len(timesteps) > self._num_seen:
            news = timesteps[self._num_seen :]
            self._num_seen = len(timesteps)
            self.see(news)

# SPDX-License-Identifier: Apache-2.0
"""The base of callbacks that watch a GANNO callback."""

# ruff: noqa: ARG002  the arguments of the methods are Keras'

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.control.history import Timestep


class HistoryWatcher(keras.callbacks.Callback):
    """A callback that receives GANNO's decisions soon after they were taken.

    It changes nothing. A subclass defines `see`, and `finish` for work at the end.

    Args:
        ganno: The callback to watch, in the same list of callbacks.

    Raises:
        TypeError: If `ganno` is something else.
        ValueError: In `fit`, if `ganno` is not in the list of callbacks.
    """

    # It only reads GANNO's history, so it is correct whenever it is called.
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
        """Receives the decisions since the last call, at least one."""

    def finish(self) -> None:
        """Completes the work at the end of the fit, after all decisions were seen."""

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Checks that GANNO is in the same fit, and starts with its first decision."""
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
        """Passes new decisions to `see`, if there are any."""
        self._look()

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Passes the last decisions to `see` and calls `finish`."""
        self._look()
        self.finish()

    def _look(self) -> None:
        timesteps = self.ganno.history.timesteps
        if len(timesteps) > self._num_seen:
            news = timesteps[self._num_seen :]
            self._num_seen = len(timesteps)
            self.see(news)

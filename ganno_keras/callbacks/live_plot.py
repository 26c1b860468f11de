# SPDX-License-Identifier: Apache-2.0
"""The picture of a running fit, in a notebook."""

from __future__ import annotations

import importlib
import io
import time
from collections.abc import Sequence
from typing import Any, Final

from ganno_keras.callbacks.ganno import GANNO
from ganno_keras.callbacks.history_watcher import HistoryWatcher
from ganno_keras.control.history import Timestep

LARGEST_SHARE: Final = 0.05
"""Largest share of a fit's time that drawing may take."""

DOTS_PER_INCH: Final = 80


class LivePlot(HistoryWatcher):
    """A callback that shows `ganno.plot()` below a notebook's cell during `fit`.

    It redraws the picture after a decision, but at most every few seconds. Drawing
    takes at most a twentieth of the time. At the end of the fit, the picture is
    complete. Pass `verbose=0` or `verbose=2` to `fit`: its progress bar would flicker
    beside the picture.

    Args:
        ganno: The callback whose decisions are shown, in the same list of callbacks.
        seconds: Shortest time between two pictures, at least 0.

    Raises:
        ImportError: If IPython or matplotlib is not installed.
        RuntimeError: If the program does not run in a notebook.
        TypeError: If `ganno` is something else.
        ValueError: If `seconds` is below 0. In `fit`, if `ganno` is not in the list of
            callbacks.

    Example, in a notebook:

        ganno = GANNO()
        model.fit(x, y, verbose=0, callbacks=[ganno, LivePlot(ganno)])
    """

    def __init__(self, ganno: GANNO, *, seconds: float = 2.0) -> None:
        super().__init__(ganno)
        if not seconds >= 0:
            raise ValueError(
                f"seconds is {seconds!r}; the shortest time between two pictures is a "
                "number of at least 0, such as 2.0."
            )
        _check_notebook()
        self._seconds = seconds
        self._handle: Any = None
        self._next = 0.0
        self._is_complete = True

    def see(self, timesteps: Sequence[Timestep]) -> None:
        """Redraws the picture, unless this was done just before."""
        del timesteps  # The picture shows all of them.
        self._is_complete = False
        if time.monotonic() >= self._next:
            self._draw()

    def finish(self) -> None:
        """Completes the picture; the next fit gets a new one."""
        if not self._is_complete:
            self._draw()
        self._handle = None
        self._next = 0.0

    def _draw(self) -> None:
        start = time.monotonic()
        self._show(self._picture())
        self._is_complete = True
        end = time.monotonic()
        pause = (end - start) * (1.0 / LARGEST_SHARE - 1.0)
        self._next = end + max(self._seconds, pause)

    def _picture(self) -> bytes:
        """Renders the plot as PNG, which is shown without a backend of matplotlib."""
        stream = io.BytesIO()
        self.ganno.plot().savefig(stream, format="png", dpi=DOTS_PER_INCH)
        return stream.getvalue()

    def _show(self, picture: bytes) -> None:
        display = importlib.import_module("IPython.display")
        image = display.Image(data=picture)
        if self._handle is None:
            self._handle = display.display(image, display_id=True)
        else:
            self._handle.update(image)


def _check_notebook() -> None:
    """Refuses to begin where the picture could not be shown."""
    for library in ("IPython", "matplotlib"):
        try:
            importlib.import_module(library)
        except ImportError as error:
            raise ImportError(
                f"LivePlot needs {library}, which is not installed. Run pip install "
                f"{library.lower()}, or leave LivePlot out: ganno.history has the "
                "numbers."
            ) from error
    shell = importlib.import_module("IPython").get_ipython()
    if getattr(shell, "kernel", None) is None:
        raise RuntimeError(
            "LivePlot shows its picture below a notebook's cell, and this program does "
            "not run in a notebook. Leave LivePlot out, and call ganno.plot('rates.png'"
            ") after the fit."
        )

# SPDX-License-Identifier: Apache-2.0
"""The live picture appears once a fit, is renewed now and then, and ends complete."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import pytest

from ganno_keras import GANNO, LivePlot
from ganno_keras.callbacks import live_plot as module
from tests.support.models import tiny_data, tiny_model
from tests.support.policies import ADD, always

pytest.importorskip("matplotlib")


class StandInNotebook:
    """Takes what would be shown below a cell: one list of pictures a display."""

    def __init__(self) -> None:
        self.displays: list[list[bytes]] = []

    def display(self, image, *, display_id):
        assert display_id is True
        pictures = [image.data]
        self.displays.append(pictures)
        return SimpleNamespace(update=lambda other: pictures.append(other.data))


@pytest.fixture
def notebook(monkeypatch) -> StandInNotebook:
    stand_in = StandInNotebook()
    ipython, display = ModuleType("IPython"), ModuleType("IPython.display")
    ipython.version_info = (9, 0)  # matplotlib looks at it
    ipython.get_ipython = lambda: SimpleNamespace(kernel=object())
    display.display = stand_in.display
    display.Image = lambda data: SimpleNamespace(data=data)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    return stand_in


class Clock:
    """Time as the test has it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def fit(model, ganno, live):
    x, y = tiny_data()
    model.fit(x, y, batch_size=16, epochs=2, callbacks=[ganno, live], verbose=0)


def test_live_plot__shows_one_picture_and_renews_it(notebook):
    ganno = GANNO(always(ADD), interval=2)
    fit(tiny_model(), ganno, LivePlot(ganno, seconds=0.0))
    (pictures,) = notebook.displays
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)
    assert 2 <= len(pictures) <= len(ganno.history.timesteps) + 1


def test_live_plot__ends_complete_and_begins_anew_in_the_next_fit(notebook):
    ganno = GANNO(always(ADD), interval=2)
    live, seen = LivePlot(ganno, seconds=1e9), []
    live._picture = lambda: bytes([len(ganno.history.timesteps)])
    model = tiny_model()
    for _ in range(2):
        fit(model, ganno, live)
        seen.append(len(ganno.history.timesteps))
    assert seen == [5, 5]
    # The first decision at once, then none until the end.
    assert notebook.displays == [[b"\x01", b"\x05"]] * 2


def test_live_plot__spends_a_twentieth_of_the_time(notebook, clock):
    ganno = GANNO(always(ADD), interval=1)
    live = LivePlot(ganno, seconds=0.0)

    def picture():
        clock.now += 1.0
        return b"png"

    live._picture = picture
    drawn = []
    for _ in range(100):
        clock.now += 1.0  # an interval of the training
        before = clock.now
        live.see([])
        drawn.append(clock.now > before)
    assert drawn[0]
    assert sum(drawn) == 6  # at first, and after 19 others each time


def test_live_plot__shows_nothing_of_a_fit_without_decisions(notebook):
    ganno = GANNO(always(ADD), interval=100)
    with pytest.warns(UserWarning, match="0 decisions"):
        fit(tiny_model(), ganno, LivePlot(ganno))
    assert notebook.displays == []


def test_live_plot__needs_ganno_beside_it(notebook):
    with pytest.raises(TypeError, match=r"callbacks=\[ganno, LivePlot\(ganno\)\]"):
        LivePlot("ganno")
    live = LivePlot(GANNO(always(ADD)))
    x, y = tiny_data()
    with pytest.raises(ValueError, match="not in the list of callbacks"):
        tiny_model().fit(x, y, callbacks=[live], verbose=0)


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_live_plot__refuses_a_time_below_0(notebook, seconds):
    with pytest.raises(ValueError, match="number of at least 0"):
        LivePlot(GANNO(always(ADD)), seconds=seconds)


@pytest.mark.parametrize("library", ["IPython", "matplotlib"])
def test_live_plot__says_which_library_is_missing(notebook, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=f"pip install {library.lower()}"):
        LivePlot(GANNO(always(ADD)))


@pytest.mark.parametrize("shell", [None, SimpleNamespace()])
def test_live_plot__refuses_a_program_that_is_no_notebook(notebook, monkeypatch, shell):
    monkeypatch.setattr(sys.modules["IPython"], "get_ipython", lambda: shell)
    with pytest.raises(RuntimeError, match="not run in a notebook"):
        LivePlot(GANNO(always(ADD)))

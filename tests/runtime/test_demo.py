# SPDX-License-Identifier: Apache-2.0
"""The demo runs, tells its progress, and prints one aligned table."""

from __future__ import annotations

import pytest

from ganno_keras import demo
from ganno_keras.control.history import GannoHistory


@pytest.mark.slow
def test_main__trains_with_every_method_and_saves_a_picture(
    monkeypatch, tmp_path, capsys
):
    monkeypatch.setattr(demo, "INITIAL_LEARNING_RATES", (0.001,))
    picture = tmp_path / "rates.png"
    demo.main(["--epochs", "3", "--picture", str(picture)])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:7] for line in lines[1:4]] == ["[ 1/3] ", "[ 2/3] ", "[ 3/3] "]
    table = lines[6:10]
    assert len({len(line) for line in table}) == 1
    assert [line.split()[0] for line in table[1:]] == ["constant", "cosine", "GANNO()"]
    assert picture.stat().st_size > 1000


def test_as_table__has_mean_and_spread():
    row = demo.as_table({"constant": [0.1, 0.5, 0.7, 0.8, 0.9]}).splitlines()[1]
    assert [float(number) for number in row.split()[1:]] == [10, 50, 70, 80, 90, 60, 80]


def test_save_picture__says_so_without_matplotlib(monkeypatch, tmp_path):
    def missing(*_):
        raise ImportError("Plotting needs matplotlib")

    monkeypatch.setattr(demo, "plot_history", missing)
    text = demo.save_picture(GannoHistory(), tmp_path / "rates.png")
    assert text == "No picture of what GANNO did: Plotting needs matplotlib"

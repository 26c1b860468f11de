# SPDX-License-Identifier: Apache-2.0
"""Many short fits are timed once all is traced, and what they leave is counted."""

from __future__ import annotations

from benchmarks.speed.loop_of_fits import NUM_FIRST, measure


def test_measure__says_what_a_fit_takes_and_what_stays():
    found = measure(NUM_FIRST + 2, {"plain": [], "again": []})
    assert found["ways"]["plain"]["ratio"] == 1.0
    row = found["ways"]["again"]
    assert 0.0 < row["median_seconds"] < row["first_seconds"]
    assert found["objects_grown"] < 2000

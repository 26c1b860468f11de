# SPDX-License-Identifier: Apache-2.0
"""How long many short fits of one model take, with GANNO and without, and what stays.

    python -m benchmarks.speed.loop_of_fits

Fits a small perceptron for one epoch of 32 updates again and again, as a loop over
parts of the data or an active learner does: plainly, with GANNO, and with one that
decides three times in a fit. They take turns. Prints the time of a fit once all is
traced, by that of the plain fit beside it, and what 1,000 fits of each leave in memory.
Writes `benchmarks/results/loop_of_fits.json`.
"""

from __future__ import annotations

import argparse
import gc
import time
import warnings
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from agents.common.atomic_files import write_json
from ganno_keras import GANNO

from ..records.provenance import provenance
from .memory import resident_megabytes

NUM_FITS: Final = 1000
NUM_FIRST: Final = 20  # Until everything is traced, and allocators have what they need.
Ways = dict[str, list[keras.callbacks.Callback]]

RESULTS: Final = Path(__file__).parents[1] / "results" / "loop_of_fits.json"


def new_model() -> keras.Model:
    """A perceptron, for which the parts of a fit that do not train count most."""
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model


def measure(num_fits: int, ways: Ways) -> dict[str, Any]:
    """Fits in turns; the medians of the later fits, and what all of them leave.

    Args:
        num_fits: How many fits of each way, more than `NUM_FIRST`.
        ways: The callbacks of each.
    """
    models, random = {name: new_model() for name in ways}, np.random.default_rng(0)
    x = random.normal(size=(512, 8)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(num_fits):
        if number == NUM_FIRST:
            gc.collect()
            start, objects = resident_megabytes(), len(gc.get_objects())
        for name, callbacks in ways.items():
            began = time.perf_counter()
            models[name].fit(x, y, 16, 1, verbose=0, callbacks=callbacks)
            seconds[name].append(time.perf_counter() - began)
        # Keras' data sets and iterators refer to themselves; this is not timed.
        if number % 10 == 0:
            gc.collect()
    gc.collect()
    plain = np.array(seconds["plain"][NUM_FIRST:])
    return {
        "ways": {
            name: {
                "first_seconds": round(found[0], 2),
                "median_seconds": round(float(np.median(found[NUM_FIRST:])), 4),
                "ratio": round(float(np.median(found[NUM_FIRST:] / plain)), 3),
            }
            for name, found in seconds.items()
        },
        "megabytes_grown": round(resident_megabytes() - start, 1),
        "objects_grown": len(gc.get_objects()) - objects,
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--fits", type=int, default=NUM_FITS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="This fit has")
    ways: Ways = {
        "plain": [],
        "GANNO()": [GANNO()],
        "GANNO(interval=10)": [GANNO(interval=10)],
    }
    results = measure(arguments.fits, ways)
    for name, row in results["ways"].items():
        print(
            f"{name:20} {row['median_seconds']:.4f} s a fit, ratio {row['ratio']:.2f}"
        )
    print(
        f"{arguments.fits - NUM_FIRST} fits of each left "
        f"{results['megabytes_grown']} MB and {results['objects_grown']} objects"
    )
    made_by = {"num_fits": arguments.fits, "made_by": provenance()}
    write_json(arguments.output, {**results, **made_by})


if __name__ == "__main__":
    main()

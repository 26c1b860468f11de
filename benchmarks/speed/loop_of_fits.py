# SPDX-License-Identifier: Apache-2.0
"""How long many short fits of one model take, with GANNO and without, and what stays.

    python -m benchmarks.speed.loop_of_fits

Fits a small perceptron for one epoch again and again, as a loop over parts of the data
or an active learner does: plainly, and with one GANNO. Prints the time of a fit once
all is traced, and what 1,000 fits leave in memory. Writes
`benchmarks/results/loop_of_fits.json`.
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


def measure(num_fits: int, callbacks: list[keras.callbacks.Callback]) -> dict[str, Any]:
    """Fits again and again; the median of the later fits, and the growth over them.

    Args:
        num_fits: How many fits, more than `NUM_FIRST`.
        callbacks: Of each fit.
    """
    model, random = new_model(), np.random.default_rng(0)
    x = random.normal(size=(512, 8)).astype("float32")
    y = x.sum(axis=1, keepdims=True)
    seconds = []
    for number in range(num_fits):
        if number == NUM_FIRST:
            gc.collect()
            start, objects = resident_megabytes(), len(gc.get_objects())
        began = time.perf_counter()
        model.fit(x, y, batch_size=16, epochs=1, verbose=0, callbacks=callbacks)
        seconds.append(time.perf_counter() - began)
        # Keras' data sets and iterators refer to themselves; this is not timed.
        if number % 10 == 0:
            gc.collect()
    gc.collect()
    return {
        "median_seconds": round(float(np.median(seconds[NUM_FIRST:])), 4),
        "first_seconds": round(seconds[0], 2),
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
    ways = {"plain": [], "GANNO": [GANNO(interval=10)]}
    results = {
        name: measure(arguments.fits, callbacks) for name, callbacks in ways.items()
    }
    for name, row in results.items():
        print(name, row)
    ratio = results["GANNO"]["median_seconds"] / results["plain"]["median_seconds"]
    print(f"a fit with GANNO takes {ratio:.2f} times as long")
    write_json(
        arguments.output,
        {
            "num_fits": arguments.fits,
            "ratio": round(ratio, 3),
            "ways": results,
            "made_by": provenance(),
        },
    )


if __name__ == "__main__":
    main()

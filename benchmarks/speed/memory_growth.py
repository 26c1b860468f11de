# SPDX-License-Identifier: Apache-2.0
"""Measures whether a meta-training needs more and more memory.

    python -m benchmarks.speed.memory_growth

It runs 200 iterations of a small meta-training, with the reward, the clones and the
agents of the recipe `paper`, and prints the resident memory on the way. The first
iterations fill the libraries' caches and trace graphs. It writes
`benchmarks/results/memory_growth.json`.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any, Final

from agents.common.atomic_files import write_json
from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
from agents.recipes.configuration import MetaTrainingConfiguration
from agents.recipes.paper import PAPER
from agents.tasks.configuration import TaskConfiguration

from ..records.provenance import provenance

NUM_ITERATIONS: Final = 200
EVERY: Final = 25
FIRST_STEADY: Final = 50
RESULTS: Final = Path(__file__).parents[1] / "results" / "memory_growth.json"


def configuration() -> MetaTrainingConfiguration:
    """Returns the recipe `paper` with short episodes on embedded data."""
    task = TaskConfiguration(
        dataset="embedded_fashion_mnist", timesteps=8, validation_samples=200
    )
    environment = dataclasses.replace(
        PAPER.environment, tasks=(task,), num_environments=2, interval=2
    )
    return dataclasses.replace(
        PAPER,
        name="memory",
        timesteps=NUM_ITERATIONS * 2 * task.timesteps,
        environment=environment,
    )


class Watched(MetaTraining):
    """A meta-training that records its memory after some iterations."""

    megabytes: dict[int, float]

    def _iterate(self, iteration: int) -> dict[str, Any]:
        record = super()._iterate(iteration)
        if (iteration + 1) % EVERY == 0:
            self.megabytes[iteration + 1] = resident_megabytes()
        return record


def resident_megabytes() -> float:
    """Returns the resident memory of this process (Linux).

    Raises:
        RuntimeError: If the system does not report it.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(
        "/proc/self/status does not say how much memory is resident; this benchmark "
        "needs Linux. Run it there."
    )


def main() -> None:
    """Measures, prints and writes the results file."""
    argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run", configuration())
        training = Watched(configuration(), run)
        training.megabytes = {}
        training.run()
    rounded = {n: round(size) for n, size in training.megabytes.items()}
    report = {"megabytes_after_iteration": rounded, "made_by": provenance()}
    write_json(RESULTS, report)
    growth = rounded[NUM_ITERATIONS] - rounded[FIRST_STEADY]
    print(f"after {rounded}: {growth:+d} MB from iteration {FIRST_STEADY} on")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Meta-trainings in processes that can be killed at any moment.

    python -m tests.support.killable_runs CONFIGURATION.json

Imports everything once. Then each line of its input, a folder, is a run in that folder,
in a forked process whose number is printed when it starts and whose exit status when
it ends: 0, or minus the signal. Nothing of TensorFlow may run before the fork.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agents.meta_training.meta_training import MetaTraining
from agents.meta_training.run_folder import RunFolder
from agents.recipes.registry import find_configuration


def run(configuration_path: str, folder: Path) -> None:
    """A whole run, as the command line does it; its weights go to a file."""
    import numpy as np
    import tensorflow as tf

    # Tracing the graphs would take most of a short life.
    tf.config.run_functions_eagerly(True)
    configuration = find_configuration(configuration_path)
    training = MetaTraining(configuration, RunFolder(folder, configuration))
    training.run()
    weights = training.learner.collect_variables
    np.savez(folder / "weights.npz", *[variable.numpy() for variable in weights])


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout = sys.stderr
            run(sys.argv[1], Path(line.strip()))
            sys.stderr.flush()
            os._exit(0)
        tell(child)
        _, status = os.waitpid(child, 0)
        tell(os.waitstatus_to_exitcode(status))


def tell(number: int) -> None:
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Meta-training: how the policies that `ganno_keras` ships are made.

It runs from a clone, as `python -m agents.NAME`. TF-Agents needs the legacy Keras as
`tf.keras`. TensorFlow only chooses it if an environment variable is set before its
import, which the lines below do. `import keras` still is Keras 3.
"""

from __future__ import annotations

import os
import sys


def _choose_legacy_keras() -> None:
    """Makes `tf.keras` the legacy Keras that TF-Agents needs.

    Raises:
        RuntimeError: If TensorFlow was imported earlier, with Keras 3 as `tf.keras`.
    """
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None:
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        return
    origin = tensorflow.keras.layers.Layer.__module__.partition(".")[0]
    if origin != "tf_keras":
        raise RuntimeError(
            f"tf.keras comes from the package {origin!r}, but TF-Agents needs the "
            "legacy Keras of 'tf_keras'. TensorFlow was imported before `agents` and "
            "without TF_USE_LEGACY_KERAS=1. Set that environment variable before "
            "TensorFlow is imported, or import `agents` first."
        )


_choose_legacy_keras()

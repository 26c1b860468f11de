# SPDX-License-Identifier: Apache-2.0
"""How many threads TensorFlow uses."""

from __future__ import annotations

import tensorflow as tf


def use_one_thread() -> None:
    """Runs each operation of TensorFlow in a single thread, in this whole process.

    Several small models side by side use the cores better than several threads within
    their operations. It also fixes the order in which sums are taken.

    Raises:
        RuntimeError: If TensorFlow has started its threads already.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)

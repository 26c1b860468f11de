# SPDX-License-Identifier: Apache-2.0
"""The threads of TensorFlow."""

from __future__ import annotations

import tensorflow as tf


def use_one_thread() -> None:
    """Makes TensorFlow run each operation of this process in a single thread.

    Several small models side by side use the cores better than several threads within
    their operations. It also fixes the order in which sums are taken.

    Raises:
        RuntimeError: If TensorFlow has started its threads already.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)

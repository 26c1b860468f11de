# SPDX-License-Identifier: Apache-2.0
"""The parts of Keras that a fit watches: steps, batches, callbacks and failures."""

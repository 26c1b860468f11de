# SPDX-License-Identifier: Apache-2.0
"""What a fit watches of Keras: its steps, batches, callbacks and failures."""

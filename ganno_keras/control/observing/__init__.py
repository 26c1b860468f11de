# SPDX-License-Identifier: Apache-2.0
"""What agents see: measurements of a training, made into one vector for each layer."""

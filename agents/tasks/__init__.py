# SPDX-License-Identifier: Apache-2.0
"""What inner networks are trained on: data, network, objective."""

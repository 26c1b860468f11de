# SPDX-License-Identifier: Apache-2.0
"""What was asked of the experiments before they were run; not to be changed after."""

from __future__ import annotations

from typing import Final

E1_LARGEST_SD: Final = 0.6
"""Octaves: the leave-one-out error of the best relative rate, to hold."""
E1_FAILING_SD: Final = 1.0
E1_LEAST_ABSOLUTE_SD: Final = 1.2
"""Octaves that the best absolute rates should be spread by, at least."""
E1_MEAN_REGRET: Final = 0.03
E1_P90_REGRET: Final = 0.10
"""Logarithms of the loss that the formula's rate loses against the best of its grid."""
E1_RELATIVE_LOSS: Final = 0.01
"""Logarithm of the loss by which the best relative rate may be worse than the best
absolute one, in the mean."""
E1_FAILING_OFFSET: Final = 1.5
"""Octaves that batch normalisation or Transformers may be away from the others."""

E2_LARGEST_SD: Final = 0.8
"""Octaves: leave-one-out, with a flag, the epochs and one dynamic feature."""
E2_LARGEST_HARM: Final = 0.05
"""Logarithm of the loss below the better of Adam 1e-3 and 1e-4."""

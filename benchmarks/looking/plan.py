# SPDX-License-Identifier: Apache-2.0
"""The third experiment, and what is asked of it, written down before it is run."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from agents.tasks.drawn_tasks import NUM_TIMESTEPS
from ganno_keras.control.action_sets import RELATIVE_AND_DECAY_ACTIONS
from ganno_keras.control.actions import NO_OP

ACTIONS: Final = RELATIVE_AND_DECAY_ACTIONS

LEAST_GAIN: Final = 0.02
"""Logarithms of the held-out loss that choosing by all that is observed has to gain
over the best constant. It is a go if the interval of the gain lies above 0 as well."""

LEAST_GAIN_OF_DYNAMICS: Final = 0.003
"""What choosing by all entries has to gain over choosing by those that are known before
the first update. Only then, and with an interval above 0, a policy would be called
responsive."""

SNAPSHOTS: Final = (2, 6, 11)
"""Intervals of `NUM_TIMESTEPS` after which the training is looked at."""

LARGEST_LOSS: Final = 10.0
"""What a diverged or undefined loss counts as."""
SMALLEST_ERROR: Final = 1e-3
"""As in rewards: the held-out sample cannot tell smaller ones apart."""


class Branch(NamedTuple):
    """What all layers of a branch do from the snapshot to the end.

    Example:

        >>> print(Branch(2.0, 0.3))
        x2 with 0.3
    """

    factor: float  # on the relative rates
    total: float  # by how much weights shrink, over the whole training

    def __str__(self) -> str:
        return f"x{self.factor:g} with {self.total:g}"

    @property
    def action(self) -> int:
        """The action that does so.

        Raises:
            ValueError: If there is none.
        """
        factors, totals = _effects()
        for action, effect in enumerate(zip(factors, totals, strict=True)):
            if abs(effect[0] - self.factor) + abs(effect[1] - self.total) < 1e-6:
                return action
        raise ValueError(
            f"No action of {ACTIONS.name!r} has the factor {self.factor} and the total "
            f"shrink {self.total}. Choose among {factors} and {sorted(set(totals))}."
        )


def _effects() -> tuple[list[float], list[float]]:
    actions = np.arange(ACTIONS.num_actions)
    factors = [float(it) for it in ACTIONS.factors(actions)]
    totals = [float(it) for it in ACTIONS.weight_decays(actions)]
    return factors, totals


BRANCHES: Final = (
    Branch(0.25, 0.0),
    Branch(0.5, 0.0),
    Branch(1.0, 0.0),
    Branch(2.0, 0.0),
    Branch(4.0, 0.0),
    Branch(1.0, 0.3),
    Branch(2.0, 0.3),
    Branch(2.0, 1.0),
    Branch(4.0, 1.0),
)

NO_OP_BRANCH: Final = [branch.action for branch in BRANCHES].index(NO_OP)
"""The place of the branch of the no-op, which is the main line of the experiment."""

PROGRESS: Final = tuple(round(it / NUM_TIMESTEPS, 3) for it in SNAPSHOTS)

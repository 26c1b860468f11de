# SPDX-License-Identifier: Apache-2.0
"""The entries of an observation, and which of them each version has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from ganno_keras.control.layer_kinds import LAYER_DEPTHS, LAYER_KINDS

Transform = Literal["identity", "log10", "signed_log1p", "one_hot"]

SMALLEST: Final = 1e-8
"""Values below this one, such as a learning rate of 0, look alike on the log scale."""


OF_GRADIENTS: Final = frozenset({"gradient_norm", "coherence"})
"""The entries that are taken from the gradients of a step."""


@dataclass(frozen=True)
class ObservationEntry:
    """One quantity of an observation, with the scale on which an agent sees it.

    Args:
        name: The key of the raw value in the argument of `ObservationSpec.build`.
        scope: `"global"` is one value for all agents, `"local"` one for each agent.
        transform: The scale; `"one_hot"` turns an index into `size` numbers.
        minimum: Lowest value after the transform.
        maximum: Highest value after the transform; NaN is shown as this value.
        size: Number of places that the entry takes in the vector.
    """

    name: str
    scope: Literal["global", "local"]
    transform: Transform
    minimum: float
    maximum: float
    size: int = 1

    def encode(self, value: np.ndarray) -> np.ndarray:
        """Maps raw values `[num_agents]` to finite numbers `[num_agents, size]`."""
        with np.errstate(all="ignore"):
            scaled = _TRANSFORMS[self.transform](value, self.size)
        known = np.where(np.isnan(scaled), self.maximum, scaled)
        return np.clip(known, self.minimum, self.maximum)


def _column(value: np.ndarray) -> np.ndarray:
    return np.asarray(value, dtype=np.float64)[:, np.newaxis]


def _one_hot(value: np.ndarray, size: int) -> np.ndarray:
    return np.eye(size)[np.asarray(value, dtype=np.int64)]


_TRANSFORMS: Final[Mapping[str, Callable[[np.ndarray, int], np.ndarray]]] = {
    "identity": lambda value, _: _column(value),
    "log10": lambda value, _: np.log10(np.maximum(_column(value), SMALLEST)),
    "signed_log1p": lambda value, _: (
        np.sign(_column(value)) * np.log1p(np.abs(_column(value)))
    ),
    "one_hot": _one_hot,
}


def _shared(
    name: str, transform: Transform, low: float, high: float
) -> ObservationEntry:
    return ObservationEntry(name, "global", transform, low, high)


def _local(
    name: str, transform: Transform, low: float, high: float, size: int = 1
) -> ObservationEntry:
    return ObservationEntry(name, "local", transform, low, high, size)


def _labels(num_actions: int) -> tuple[ObservationEntry, ...]:
    """Lists what each agent did last, and the kind and depth of its layer."""
    return (
        _local("previous_action", "one_hot", 0.0, 1.0, num_actions),
        _local("layer_kind", "one_hot", 0.0, 1.0, len(LAYER_KINDS)),
        _local("layer_depth", "one_hot", 0.0, 1.0, len(LAYER_DEPTHS)),
    )


def _first_entries(num_actions: int) -> tuple[ObservationEntry, ...]:
    """Lists the entries of Appendix A in order, with flags for missing values."""
    return (
        _shared("train_accuracy", "identity", 0.0, 1.0),
        _shared("train_loss", "signed_log1p", -10.0, 10.0),
        _shared("validation_accuracy", "identity", 0.0, 1.0),
        _shared("validation_loss", "signed_log1p", -10.0, 10.0),
        _shared("loss_is_not_finite", "identity", 0.0, 1.0),
        _shared("progress", "identity", 0.0, 1.0),
        _shared("train_validation_loss_ratio", "log10", -2.0, 2.0),
        _shared("initial_learning_rate", "log10", -8.0, 1.0),
        _shared("initial_weight_decay", "log10", -8.0, 1.0),
        _shared("accuracy_is_known", "identity", 0.0, 1.0),
        _shared("validation_is_known", "identity", 0.0, 1.0),
        _local("learning_rate", "log10", -8.0, 1.0),
        *_labels(num_actions),
        _local("trust_ratio", "log10", -8.0, 8.0),
        _local("gradient_norm", "log10", -8.0, 8.0),
        _local("update_norm", "log10", -8.0, 8.0),
        _local("weight_mean", "identity", -10.0, 10.0),
        _local("weight_variance", "log10", -8.0, 8.0),
        _local("weight_norm", "log10", -8.0, 8.0),
    )


def _second_entries(num_actions: int) -> tuple[ObservationEntry, ...]:
    """Lists entries that also say what is trained, for how long, and how it goes.

    The mean of the weights and the values that the optimizer began with are left out.
    """
    return (
        _shared("train_accuracy", "identity", 0.0, 1.0),
        _shared("train_loss", "signed_log1p", -10.0, 10.0),
        _shared("validation_accuracy", "identity", 0.0, 1.0),
        _shared("validation_loss", "signed_log1p", -10.0, 10.0),
        _shared("loss_is_not_finite", "identity", 0.0, 1.0),
        _shared("accuracy_is_known", "identity", 0.0, 1.0),
        _shared("validation_is_known", "identity", 0.0, 1.0),
        # What is trained, and for how long.
        _shared("progress", "identity", 0.0, 1.0),
        _shared("num_updates", "log10", 0.0, 8.0),
        _shared("epochs", "log10", 0.0, 4.0),
        _shared("batch_size", "log10", 0.0, 6.0),
        _shared("width", "log10", 0.0, 5.0),
        _shared("num_layers", "log10", 0.0, 4.0),
        _shared("trainable_share", "log10", -6.0, 0.0),
        # How it goes.
        _shared("loss_slope", "identity", -2.0, 2.0),
        _shared("loss_scatter", "log10", -5.0, 1.0),
        _shared("loss_gap", "identity", -2.0, 2.0),
        _shared("loss_change", "identity", -10.0, 10.0),
        _shared("generalisation_gap", "identity", -5.0, 5.0),
        _shared("generalisation_gap_change", "identity", -2.0, 2.0),
        *_labels(num_actions),
        _local("fan_in", "log10", 0.0, 6.0),
        _local("is_fresh", "identity", 0.0, 1.0),
        _local("learning_rate", "log10", -8.0, 2.0),
        _local("relative_rate", "log10", -8.0, 0.0),
        _local("trust_ratio", "log10", -8.0, 8.0),
        _local("gradient_norm", "log10", -8.0, 8.0),
        _local("update_norm", "log10", -8.0, 8.0),
        _local("weight_variance", "log10", -8.0, 8.0),
        _local("weight_norm", "log10", -8.0, 8.0),
        _local("weight_drift", "log10", -2.0, 2.0),
        _local("coherence", "identity", -1.0, 1.0),
    )


APPENDIX_A: Final = 1
"""The version with the observation of the paper."""

WITH_COURSE: Final = 2
"""The first version with facts of the network and the course of the losses."""

ENTRIES_BY_VERSION: Final[dict[int, Callable[[int], tuple[ObservationEntry, ...]]]] = {
    APPENDIX_A: _first_entries,
    WITH_COURSE: _second_entries,
}
"""The entries of each version, given the size of the action set.

A version never changes, because a policy needs the observation of its training. A new
entry starts a new version, whose list may begin with the previous version's.
"""


def newest_version() -> int:
    """Returns the newest version of the observation."""
    return max(ENTRIES_BY_VERSION)

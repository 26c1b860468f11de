# SPDX-License-Identifier: Apache-2.0
"""The share of its weights that a layer moves by at an update, without any tuning."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ganno_keras.control.anchor.training_facts import (
    USUAL_CHANNELS,
    USUAL_INPUTS,
    TrainingFacts,
)

Array = npt.NDArray[np.float64]

LARGEST_TARGETS: Final = 4.0
"""Targets of a sample from which on their number says nothing about the rate."""

FEWEST_INPUTS: Final = 32.0
"""Fewer inputs count as so many."""
UNSURE_BATCH_SIZE: Final = 8.0
"""The batch size up to which the number of inputs does not count.

The gradients of so few samples say little, and the first layer does not move further.
"""
SURE_BATCH_SIZE: Final = 16.0
"""The batch size from which on the number of inputs counts in full."""

NARROWEST_WIDTH: Final = 8.0
"""Width up to which the number of channels does not count."""

MOST_EPOCHS: Final = 20.0
"""Epochs from which on their number says nothing about single kinds of layers."""

SHORT_LENGTH: Final = 300.0
"""Updates up to which all kinds of layers follow the same slope."""

BOUNDED_SHARES: Final = {SHORT_LENGTH: 0.0, 1000.0: 1.0, 3000.0: 1.0, 10_000.0: 0.0}
"""How much it counts that weights are kept from growing, by the number of updates."""

FEW_EPOCHS: Final = 10.0
"""Epochs up to which long fine-tunings keep the rates of short ones."""
MANY_EPOCHS: Final = 40.0
"""Epochs from which on they do not: few samples are soon learned."""

LONGEST_FINE_TUNING: Final = 6000.0
"""Updates from which on they fall all the same: nobody looked further."""

NARROW_WIDTH: Final = 32.0
"""Width up to which all kinds of layers follow the same slope."""

HIGHEST_RELATIVE_RATE: Final = 0.1
"""No layer moves by a larger share of its weights, whatever the agents do."""


def _slopes(by_kind: Mapping[str, float], kinds: Sequence[str]) -> Array:
    return np.array([by_kind.get(kind, 0.0) for kind in kinds], np.float64)


def _are_usual(kinds: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Returns for each layer whether at least half of them are of its kind.

    Layers that normalise are not counted.
    """
    counted = [kind for kind in kinds if kind != "normalization"]
    return np.array([2 * counted.count(kind) >= len(counted) for kind in kinds], bool)


def _counted_length(facts: TrainingFacts, longest: float = math.inf) -> float:
    """Returns the logarithm of the updates beyond a short length, up to a longest."""
    return max(log2(min(facts.num_updates, longest) / SHORT_LENGTH), 0.0)


def _counted_epochs(facts: TrainingFacts) -> float:
    """Returns the logarithm of the epochs, as far as they count by kind of layer."""
    return log2(min(max(facts.epochs, 1.0), MOST_EPOCHS))


def fewness(epochs: float, few: float = FEW_EPOCHS, many: float = MANY_EPOCHS) -> float:
    """Returns 1 for few epochs, 0 for many, and what lies between by the logarithm."""
    return float(np.interp(log2(epochs), [log2(few), log2(many)], [1, 0]))


def _counted_inputs(facts: TrainingFacts) -> float:
    """Returns the logarithm of the inputs beside usual ones, as far as they count."""
    inputs = min(max(facts.inputs, FEWEST_INPUTS), USUAL_INPUTS)
    batch_size = min(max(facts.batch_size, UNSURE_BATCH_SIZE), SURE_BATCH_SIZE)
    sureness = log2(batch_size / UNSURE_BATCH_SIZE) / log2(
        SURE_BATCH_SIZE / UNSURE_BATCH_SIZE
    )
    return sureness * log2(inputs / USUAL_INPUTS)


def _counted_channels(facts: TrainingFacts) -> float:
    """Returns the logarithm of the channels beside usual ones, as far as they count."""
    width = min(max(facts.width, NARROWEST_WIDTH), NARROW_WIDTH)
    sureness = log2(width / NARROWEST_WIDTH) / log2(NARROW_WIDTH / NARROWEST_WIDTH)
    return sureness * log2(min(facts.channels, USUAL_CHANNELS) / USUAL_CHANNELS)


def _is_first(kinds: Sequence[str]) -> npt.NDArray[np.bool_]:
    """Returns for each layer whether it is the first one that does not normalise."""
    counted = [kind != "normalization" for kind in kinds]
    return np.array([it and not any(counted[:at]) for at, it in enumerate(counted)])


@dataclass(frozen=True)
class RelativeRateFormula:
    """The relative rate at the peak of the schedule, as a sum in base 2 logarithms.

    Args:
        constant: For one update of one sample, one epoch, width 1, depth 1 and no
            momentum.
        updates: By the logarithm of the number of updates.
        epochs: By that of the epochs, where there is more than one.
        width: By that of the network's width.
        batch_size: By that of the batch size.
        persistence: By that of how much longer a way steps make with the optimizer's
            momentum.
        depth: By that of the network's depth.
        targets: By that of the targets of a sample, up to `LARGEST_TARGETS`.
        pretrained: Added for layers that are not fresh.
        pretrained_epochs: By the logarithm of the epochs, up to `MOST_EPOCHS`, for
            layers that are not fresh, beside `epochs`: few samples are soon learned.
        pretrained_updates: By that of the number of updates beyond `SHORT_LENGTH`, for
            layers that are not fresh, beside `updates`, up to `LONGEST_FINE_TUNING`;
            less from `FEW_EPOCHS` on.
        pretrained_alone: Added if no layer is fresh. The network knows its task.
        low_rank: Added for fresh low-rank factors beside frozen weights (LoRA).
        kinds: Added by the kind of the layer; 0 for kinds that are not named.
        updates_by_kind: By the logarithm of the number of updates beyond
            `SHORT_LENGTH`, for fresh layers of a kind, beside `updates`.
        longest_lengths: Updates from which on a kind of layer follows the slope of the
            others again; without end for kinds that are not named.
        width_by_kind: By the logarithm of the width beyond `NARROW_WIDTH`, for fresh
            layers of a kind that half of the layers are of, beside `width`.
        inputs: By the logarithm of the inputs beside `USUAL_INPUTS`, for the first
            layer of a perceptron, if it is fresh; less below `SURE_BATCH_SIZE`.
        channels: By the logarithm of the channels beside `USUAL_CHANNELS`, for all
            fresh layers of a CNN whose first one is fresh; less below `NARROW_WIDTH`.
        normalised_updates: By the logarithm of the number of updates beyond
            `SHORT_LENGTH`, for fresh layers of a perceptron that normalises, beside
            `updates`.
        normalised_epochs: By that of the epochs, up to `MOST_EPOCHS`, for the same
            layers, beside `epochs`.
        bounded: Added for fresh layers, but for low-rank factors, of a network that
            predicts one target and whose weights are kept from growing. How much of
            it, by the number of updates, is in `BOUNDED_SHARES`.

    Example:

        >>> formula = RelativeRateFormula()
        >>> facts = TrainingFacts(800, 3.7, 32, 64)
        >>> formula.rates(facts, ["linear"], is_pretrained=[False]).round(4)
        array([0.0036])
    """

    constant: float = -1.34
    updates: float = -0.39
    epochs: float = -0.27
    width: float = -0.28
    batch_size: float = 0.34
    persistence: float = -0.65
    depth: float = -0.5
    targets: float = 0.55
    pretrained: float = -0.2
    pretrained_epochs: float = -0.25
    pretrained_updates: float = 0.5
    pretrained_alone: float = -1.0
    low_rank: float = 1.0
    kinds: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"recurrent": 1.3, "attention": -1.0})
    )
    updates_by_kind: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {"recurrent": -0.44, "convolution": 0.3}
        )
    )
    longest_lengths: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"recurrent": 1500.0})
    )
    width_by_kind: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({"convolution": 0.28})
    )
    inputs: float = -0.5
    channels: float = -0.55
    normalised_updates: float = 0.35
    normalised_epochs: float = 0.27
    bounded: float = 0.5

    def __reduce__(self) -> tuple[Callable[..., RelativeRateFormula], tuple[Any, ...]]:
        # Read-only mappings cannot be pickled or copied.
        return _formula_of, (self.to_dict(),)

    def to_dict(self) -> dict[str, Any]:
        """Describes the formula in plain JSON types."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in vars(self).items()
        }

    def log2_rate(self, facts: TrainingFacts) -> float:
        """Returns the logarithm for a fresh layer of no kind in particular."""
        return (
            self.constant
            + self.updates * log2(facts.num_updates)
            + self.epochs * log2(max(facts.epochs, 1.0))
            + self.width * log2(facts.width)
            + self.batch_size * log2(facts.batch_size)
            + self.persistence * facts.persistence
            + self.depth * log2(facts.depth)
            + self.targets * log2(min(facts.targets, LARGEST_TARGETS))
        )

    def _of_pretrained(self, facts: TrainingFacts) -> float:
        by_epochs = self.pretrained_epochs * _counted_epochs(facts)
        length = _counted_length(facts, LONGEST_FINE_TUNING) * fewness(facts.epochs)
        return self.pretrained + by_epochs + self.pretrained_updates * length

    def _of_normalised(self, facts: TrainingFacts) -> float:
        if not facts.is_normalised_perceptron:
            return 0.0
        by_length = self.normalised_updates * _counted_length(facts)
        return by_length + self.normalised_epochs * _counted_epochs(facts)

    def _of_bounded(self, facts: TrainingFacts) -> float:
        if not facts.is_bounded:
            return 0.0
        lengths, shares = np.log2(list(BOUNDED_SHARES)), list(BOUNDED_SHARES.values())
        return self.bounded * float(np.interp(log2(facts.num_updates), lengths, shares))

    def rates(
        self,
        facts: TrainingFacts,
        kinds: Sequence[str],
        is_pretrained: Sequence[bool] | npt.NDArray[np.bool_],
        is_low_rank: Sequence[bool] | npt.NDArray[np.bool_] = (False,),
    ) -> Array:
        """Returns the relative rate of each layer at the peak of the schedule.

        Args:
            facts: The facts of the training.
            kinds: The kinds of the layers.
            is_pretrained: Whether each layer has been trained before.
            is_low_rank: Whether each is a pair of low-rank factors; one for all will
                do.
        """
        terms = np.array([self.kinds.get(kind, 0.0) for kind in kinds], np.float64)
        longest = [self.longest_lengths.get(kind, math.inf) for kind in kinds]
        lengths = np.array([_counted_length(facts, it) for it in longest], np.float64)
        width = max(log2(facts.width / NARROW_WIDTH), 0.0)
        of_fresh = _slopes(self.updates_by_kind, kinds) * lengths
        # The convolution that cuts an image into patches is not of a CNN.
        of_fresh += _slopes(self.width_by_kind, kinds) * width * _are_usual(kinds)
        is_first = _is_first(kinds)
        of_fresh += self.inputs * _counted_inputs(facts) * is_first
        sees_anew = not np.any(is_first & np.asarray(is_pretrained))
        of_fresh += self.channels * _counted_channels(facts) * sees_anew
        of_fresh += self._of_normalised(facts)
        of_bounded = self._of_bounded(facts)
        of_fresh += np.where(is_low_rank, self.low_rank, of_bounded)
        terms += np.where(is_pretrained, self._of_pretrained(facts), of_fresh)
        terms += self.pretrained_alone * bool(np.all(is_pretrained))
        highest: Array = np.minimum(
            2.0 ** (self.log2_rate(facts) + terms), HIGHEST_RELATIVE_RATE
        )
        return highest


def _formula_of(values: Mapping[str, Any]) -> RelativeRateFormula:
    """Makes a formula of pickled values, its mappings read-only again."""
    fields: dict[str, Any] = {
        name: MappingProxyType(value) if isinstance(value, dict) else value
        for name, value in values.items()
    }
    return RelativeRateFormula(**fields)

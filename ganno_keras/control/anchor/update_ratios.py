# SPDX-License-Identifier: Apache-2.0
"""The ratios of each layer's weights to the steps of its optimizer.

A learning rate of `rho * ratio` moves a layer by the share `rho` of its weights at each
update. That holds for any width, initial scale and optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.weight_groups import WeightGroup

Array = npt.NDArray[np.float64]

LAST_EARLY_RENEWAL: Final = 64
"""Until this update ratios are renewed at every power of 2, as all changes early on."""


LARGEST_NORM: Final = 1e50
"""What is larger comes of weights that diverge, and is not counted."""
UNMEASURED_RATE: Final = 1e-9
"""The rate of a layer whose steps are unknown: above 0, which would freeze it."""
LARGEST_PROBE: Final = 1e-5
"""Where gradients are 0, so are steps at any rate; they may come back."""
SMALLEST_RATIO: Final = 1e-12
LARGEST_RATIO: Final = 1e12


@dataclass(frozen=True)
class RenewalRules:
    """The rules for how fast the ratios may follow what is measured.

    Args:
        window: How many updates before a renewal are measured and averaged.
        steady_window: The same for optimizers whose steps are steady.
        least_direction: The root mean square that a direction counts for at least, for
            optimizers whose directions have a size of their own. Gradients that have
            vanished in a deep network may come back, and with them that size.
        largest_change: The factor by which a renewal changes a ratio at most.
        largest_rise: How many times its own running median a ratio reaches at most:
            the directions of SGD shrink with the gradient, and a network that has
            converged would be stirred up.
        memory: How many renewals the running median looks back on.
        largest_growth: How many times their root mean square at the start weights count
            for at most, in networks that do not bear growth. Rates that follow growing
            weights make them grow ever faster.
        takes_floor: Whether weights near zero count for `WeightGroup.floor`.
        lifts_embeddings: Whether fresh ones count for `WeightGroup.fresh_floor`.
        ties_vectors: Whether groups without a kernel have the kernels' median ratio.
    """

    window: int = 4
    steady_window: int = 1
    least_direction: float = 0.03
    largest_change: float = 2.0
    largest_rise: float = 16.0
    memory: int = 32
    largest_growth: float = 1.0
    takes_floor: bool = True
    lifts_embeddings: bool = True
    ties_vectors: bool = True


class UpdateRatios:
    """The root mean square of each layer's weights by that of its update direction.

    The ratio of a layer is NaN until the first update of it was measured. What is not
    finite, and directions of zero, are not counted.

    Args:
        groups: What each ratio is of.
        rules: How they are renewed.
        optimizer: What the steps of the optimizer are like.
        bears_growth: Whether the outputs of the network keep their size while weights
            grow. Then only steps that grow with the weights do as much as before.

    Raises:
        ValueError: There are no groups.

    Example:

        >>> ratios = UpdateRatios([WeightGroup("linear", ((4, 4),))])
        >>> ratios.add(weight_norms=[2.0], update_norms=[4.0])
        >>> ratios.renew()
        >>> ratios.values
        array([0.5])
    """

    def __init__(
        self,
        groups: Sequence[WeightGroup],
        rules: RenewalRules | None = None,
        optimizer: OptimizerTraits | None = None,
        bears_growth: bool = False,
    ) -> None:
        if not groups:
            raise ValueError(
                "Received no layer groups: nothing is trainable. Pass the groups of a "
                "model that has trainable weights."
            )
        self.rules = rules = rules or RenewalRules()
        steps = optimizer or OptimizerTraits()
        self._window = rules.steady_window if steps.is_steady else rules.window
        self._least_direction = rules.least_direction if steps.has_own_size else 0.0
        self._largest_growth = np.inf if bears_growth else rules.largest_growth
        self._roots = np.sqrt([float(group.num_weights) for group in groups])
        self._groups = tuple(groups)
        self._has_kernel = np.array([group.has_kernel for group in groups])
        count = len(groups)
        self.know_pretrained(np.zeros(count, bool))
        self._own = np.full(count, np.nan)
        self._starts = np.full(count, np.nan)  # norms, the first measured
        self._weights = np.full(count, np.nan)  # norms, the last measured
        self._squares = np.zeros(count)  # of the directions since the last renewal
        self._num_measured = np.zeros(count)
        self._num_still = np.zeros(count)  # steps too small to be seen
        self._history = np.full((self.rules.memory, count), np.nan)
        self.values = self._tied()
        """The ratios `[num_groups]`, NaN where nothing was measured yet."""

    @property
    def num_groups(self) -> int:
        """Returns how many ratios there are."""
        return len(self._own)

    @property
    def probes(self) -> Array:
        """Returns the rates to measure a first step at, `[num_groups]`.

        Each that was too small to change a weight makes the next one tenfold.
        """
        tried = UNMEASURED_RATE * 10.0**self._num_still
        limited: Array = np.minimum(tried, LARGEST_PROBE)
        return limited

    def know_pretrained(self, is_pretrained: npt.ArrayLike) -> None:
        """Learns which groups have been trained before; until then none has.

        Args:
            is_pretrained: bool `[num_groups]`.
        """
        floors = np.array([group.floor for group in self._groups])
        if self.rules.lifts_embeddings:
            fresh = [group.fresh_floor for group in self._groups]
            floors = np.where(is_pretrained, floors, fresh)
        if not self.rules.takes_floor:
            floors = np.full_like(floors, 1e-12)
        self._floors = floors

    def is_renewal(self, update: int, interval: int) -> bool:
        """Returns whether ratios are renewed after this update, counted from 1.

        Args:
            update: Number of updates done.
            interval: Updates between two decisions.
        """
        is_early = update <= LAST_EARLY_RENEWAL and update & (update - 1) == 0
        return update > 0 and (is_early or update % interval == 0)

    def is_measured(self, update: int, interval: int) -> bool:
        """Returns whether this update, counted from 1, is to be measured."""
        # Asked before each update of a fit, so by arithmetic: the updates until then.
        until_decision = -update % interval
        next_power = 1 << (update - 1).bit_length()
        is_early = next_power <= LAST_EARLY_RENEWAL
        until = min(until_decision, next_power - update) if is_early else until_decision
        return until < self._window

    def add(self, weight_norms: npt.ArrayLike, update_norms: npt.ArrayLike) -> None:
        """Takes in the norms of one update.

        Args:
            weight_norms: Euclidean, `[num_groups]`.
            update_norms: Norms of the weights' changes by the rates, `[num_groups]`.

        Raises:
            ValueError: There is not one of each for every group.
        """
        weights = self._per_group("weight_norms", weight_norms)
        updates = self._per_group("update_norms", update_norms)
        counts = (weights < LARGEST_NORM) & (updates < LARGEST_NORM) & (updates > 0.0)
        squares = np.square(np.where(counts, updates, 0.0))
        counts &= squares > 0.0
        self._num_still += np.isnan(self._own) & (updates == 0.0)
        self._starts = np.where(counts & np.isnan(self._starts), weights, self._starts)
        self._weights = np.where(counts, weights, self._weights)
        self._squares += squares
        self._num_measured += counts

    def renew(self) -> None:
        """Renews the ratios from what was measured since the last time."""
        counts = self._num_measured > 0
        directions = np.sqrt(self._squares / np.maximum(self._num_measured, 1.0))
        directions = np.where(counts, directions, self._roots)
        directions = np.maximum(directions, self._least_direction * self._roots)
        ratios = self._counted_weights() / directions
        # Beyond these no rate makes sense, and factors on them would overflow.
        ratios = np.clip(ratios, SMALLEST_RATIO, LARGEST_RATIO)
        self._own = np.where(counts, self._clamped(ratios), self._own)
        self._history = np.roll(self._history, -1, axis=0)
        self._history[-1] = self._own
        self._squares = np.zeros_like(self._squares)
        self._num_measured = np.zeros_like(self._num_measured)
        self.values = self._tied()

    def _counted_weights(self) -> Array:
        """Returns the norms that the weights count for."""
        least = self._floors * self._roots
        most = self._largest_growth * np.maximum(self._starts, least)
        return np.minimum(np.maximum(self._weights, least), most)

    def _clamped(self, ratios: Array) -> Array:
        """Limits ratios to a multiple of what they were, where that is known."""
        before = np.where(np.isfinite(self._own), self._own, ratios)
        change = self.rules.largest_change
        middles = _medians(self._history)
        highest = self.rules.largest_rise * np.where(np.isnan(middles), ratios, middles)
        return np.minimum(np.clip(ratios, before / change, before * change), highest)

    def _tied(self) -> Array:
        """Returns the ratios; groups without a kernel get the median of the others."""
        if not self.rules.ties_vectors or not self._has_kernel.any():
            return self._own.copy()
        known = self._own[self._has_kernel & np.isfinite(self._own)]
        middle = np.median(known) if known.size else np.nan
        return np.where(self._has_kernel, self._own, middle)

    def get_state(self) -> dict[str, np.ndarray]:
        """Returns everything that changes over a training, for saving."""
        return {name: getattr(self, f"_{name}").copy() for name in _STATE}

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Restores what `get_state` gave.

        Raises:
            ValueError: It is the state of other groups or rules.
        """
        # Earlier versions did not save the starts: they are those of now.
        state = {"starts": state["weights"], **state}
        arrays = {name: np.array(state[name], np.float64) for name in _STATE}
        for name, array in arrays.items():
            expected = getattr(self, f"_{name}").shape
            if array.shape != expected:
                raise ValueError(
                    f"Received saved {name} of shape {array.shape}, while this model's "
                    f"layer groups take {expected}. Load a file of the same model."
                )
        for name, array in arrays.items():
            setattr(self, f"_{name}", array)
        self.values = self._tied()

    def _per_group(self, what: str, values: npt.ArrayLike) -> Array:
        array = np.asarray(values, np.float64)
        if array.shape != self._own.shape:
            raise ValueError(
                f"Received {what} of shape {array.shape}. Pass one for each of the "
                f"{self.num_groups} layer groups."
            )
        return array


_STATE: Final = ("own", "starts", "weights", "squares", "num_measured", "history")


def _medians(rows: Array) -> Array:
    """Returns the median of each column, NaN left out; NaN where there is no other."""
    ordered = np.sort(rows, axis=0)  # NaN comes last
    count = np.sum(~np.isnan(rows), axis=0)
    columns = np.arange(rows.shape[1])
    low = ordered[np.maximum(count - 1, 0) // 2, columns]
    middles: Array = 0.5 * (low + ordered[count // 2, columns])
    return middles

# SPDX-License-Identifier: Apache-2.0
"""A learning rate of its own for every layer group of a Keras optimizer."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.control.observing.measurements import LayerStatistics
from ganno_keras.optimizers.backend import assign_array, read_array
from ganno_keras.optimizers.layer_table import Groups, LayerTable
from ganno_keras.optimizers.saved_state import LayerwiseState
from ganno_keras.optimizers.specialised_optimizer import (
    check_can_be_specialised,
    restore,
    retired_state,
    specialise,
    unwrapped,
)
from ganno_keras.optimizers.step_statistics import measure_between_steps


class LayerwiseOptimizer:
    """A Keras optimizer with a learning rate of its own for every layer group.

    The optimizer stays the user's own object: it is specialised in place, and
    `detach()` makes it plain again. Its slots, clipping, averaging, accumulation and
    loss scaling work as before. With equal rates training is bit-identical to the
    plain optimizer. A rate of 0 freezes exactly that group, weight decay included.

    Args:
        inner_optimizer: Any optimizer of Keras but `MultiOptimizer`, built or not. Of a
            `LossScaleOptimizer`, or any other that leaves the update to one optimizer
            inside it, that one is taken.
        groups: The layer groups, or a function of the list of trainable variables that
            gives them. It is called when the optimizer is built, for models that are
            not built yet. None makes one group a layer, by the variables' paths.
        learning_rate: What all groups have at first; None for the optimizer's rate. A
            schedule of the optimizer counts with its current rate, and continues
            after `detach()`.
        weight_decay: What all groups have at first; None for the optimizer's decay. An
            optimizer without one stays without.
        model: The model that the optimizer was compiled into. Give it if `fit` trains
            it: its training step is then made anew here and in `detach()`. Else a step
            that Keras has compiled before keeps the rates it was made for.
        measures_gradients: Whether `statistics()` has those of the gradients. Else they
            are NaN with some optimizers, whose steps then cost less.

    Raises:
        TypeError: `inner_optimizer` is not a Keras optimizer.
        ValueError: The optimizer is a `MultiOptimizer` or is attached already; or a
            variable is in two groups or in none. Nothing has been changed then.

    Example:

        >>> import keras
        >>> from ganno_keras import layer_groups
        >>> model = keras.Sequential(
        ...     [keras.Input([4]), keras.layers.Dense(3), keras.layers.Dense(1)]
        ... )
        >>> model.compile("adam", "mse")
        >>> with LayerwiseOptimizer(
        ...     model.optimizer, layer_groups(model), model=model
        ... ) as layerwise:
        ...     layerwise.set_learning_rates([0.0, 0.01])
        ...     history = model.fit(
        ...         keras.ops.ones([8, 4]), keras.ops.ones([8, 1]), verbose=0
        ...     )

    Paper: section 4, one learning rate a layer.
    """

    def __init__(
        self,
        inner_optimizer: keras.optimizers.Optimizer,
        groups: Groups = None,
        learning_rate: float | None = None,
        weight_decay: float | None = None,
        *,
        model: keras.Model | None = None,
        measures_gradients: bool = True,
    ) -> None:
        *self._loss_scalers, self.inner_optimizer = unwrapped(inner_optimizer)
        check_can_be_specialised(self.inner_optimizer)
        arguments = (groups, learning_rate, weight_decay, measures_gradients)
        self._state = retired_state(self.inner_optimizer, *arguments) or LayerwiseState(
            LayerTable(self.inner_optimizer, *arguments)
        )
        specialise(self.inner_optimizer, self._state, self._loss_scalers)
        self._model = model
        self._renew_training_step()

    @property
    def groups(self) -> tuple[LayerGroup, ...]:
        """Returns the layer groups, in the order of all `[num_groups]` values."""
        return self._built_table.groups

    @property
    def num_groups(self) -> int:
        """Returns how many layer groups, and so learning rates, there are."""
        return len(self.groups)

    @property
    def learning_rates(self) -> keras.Variable:
        """Returns the learning rates: a variable `[num_groups]`."""
        return self._built_table.learning_rates

    @property
    def weight_decays(self) -> keras.Variable | None:
        """Returns the weight decays `[num_groups]`; None if the optimizer has none."""
        return self._built_table.weight_decays

    @property
    def table(self) -> LayerTable:
        """Returns what the optimizer looks up; reused in a later fit if possible."""
        return self._state.table

    def expect(self, variables: Sequence[keras.Variable]) -> None:
        """Makes the groups of these variables, if the optimizer is not built yet.

        Should it be built with others, the groups are made again then.
        """
        self._state.table.build(variables)

    @property
    def is_measuring(self) -> bool:
        """Returns whether the coming updates collect statistics; at first not."""
        return bool(ops.convert_to_numpy(self._built_table.measuring))

    def collect_statistics(self, is_wanted: bool) -> None:
        """Switches the statistics of the coming updates on or off.

        Args:
            is_wanted: Whether `statistics()` is going to be read after them.
        """
        self._built_table.measuring.assign(is_wanted)

    @property
    def knows_last_step(self) -> bool:
        """Returns whether `statistics()` has a step of before this was made."""
        inner, table = self.inner_optimizer, self._state.table
        is_kept = table.built and table.measures_between_steps and inner.built
        return is_kept and int(ops.convert_to_numpy(inner.iterations)) > 0

    @property
    def statistics_sums(self) -> np.ndarray:
        """Returns the last measured update's sums `[num_groups, num_sums]`, or 0."""
        table = self._built_table
        if table.measures_between_steps and self.inner_optimizer.built:
            measure_between_steps(table)
        return read_array(table.statistics_sums)

    def set_learning_rates(self, values: npt.ArrayLike) -> None:
        """Sets the learning rate of every group.

        Args:
            values: `[num_groups]`, finite, at least 0.

        Raises:
            ValueError: The values have another shape, or are negative or not finite.
        """
        rates = self._checked("learning rates", values)
        assign_array(self.learning_rates, rates)
        self._built_table.show_mean_rate(rates)

    def set_weight_decays(self, values: npt.ArrayLike) -> None:
        """Sets the decoupled weight decay of every group.

        Args:
            values: `[num_groups]`, finite, at least 0.

        Raises:
            ValueError: The values have another shape, or are negative or not finite, or
                the optimizer was made without weight decay.
        """
        if self.weight_decays is None:
            raise ValueError(
                f"Received weight decays for the optimizer "
                f"{self.inner_optimizer.name!r}, which has none. Make it with a "
                "`weight_decay` above 0 to give every group its own."
            )
        assign_array(self.weight_decays, self._checked("weight decays", values))

    def statistics(self) -> LayerStatistics:
        """Reads the statistics of the last update that was measured.

        Returns:
            One value a group in each field, as NumPy arrays on the host.
        """
        return LayerStatistics.from_sums(
            self.statistics_sums, self._built_table.num_weights
        )

    @property
    def host_state(self) -> dict[str, np.ndarray]:
        """Returns host arrays that are saved and loaded with the optimizer.

        Whoever drives the rates keeps here what a training that is resumed from a file
        must have. Loading replaces all entries, and counts in `num_loads`.
        """
        return self._state.host_state

    @property
    def num_loads(self) -> int:
        """Returns how often rates and `host_state` have been loaded from a file."""
        return self._state.num_loads

    @property
    def slots(self) -> list[keras.Variable]:
        """Returns the inner optimizer's own state without its rate and updates."""
        inner = self.inner_optimizer
        others = [inner._iterations, inner._learning_rate, *self._state.table.variables]
        known = {id(variable) for variable in others}
        return [variable for variable in inner.variables if id(variable) not in known]

    def detach(self) -> None:
        """Makes the optimizer the user's plain object again; harmless if it is."""
        for optimizer in (*self._loss_scalers, self.inner_optimizer):
            if vars(optimizer).get("layerwise_state") is self._state:
                restore(optimizer)
                self._renew_training_step()

    def _renew_training_step(self) -> None:
        if self._model is not None:
            self._model.train_function = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.detach()

    @property
    def _built_table(self) -> LayerTable:
        if not self._state.table.built:
            raise ValueError(
                "The layer groups are known once the optimizer is built. Call "
                "`optimizer.build(model.trainable_variables)` first."
            )
        return self._state.table

    def _checked(self, what: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        array = np.asarray(values, np.float64)
        if array.shape != (self.num_groups,):
            raise ValueError(
                f"Received {what} of shape {array.shape}. Pass one for each of the "
                f"{self.num_groups} layer groups."
            )
        if not (np.isfinite(array) & (array >= 0)).all():
            raise ValueError(
                f"Received {what} {array.tolist()}. Pass finite values of 0 or more."
            )
        return array

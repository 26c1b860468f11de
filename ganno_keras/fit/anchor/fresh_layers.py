# SPDX-License-Identifier: Apache-2.0
"""A test for layers that were trained before, by signs in their weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod, sqrt
from typing import Any, Final

import keras
import numpy as np

from ganno_keras.control.layer_groups import LayerGroup
from ganno_keras.optimizers.backend import to_host

_DETERMINISTIC: Final = (
    keras.initializers.Zeros,
    keras.initializers.Ones,
    keras.initializers.Constant,
)
_STATISTICS: Final = {"moving_mean": 0.0, "moving_variance": 1.0}
_LORA_FACTORS: Final = ("lora_kernel", "lora_embeddings")
_LARGEST_DRAW: Final = 20_000_000
"""Weights of a kernel; those of a larger one are compared by their size alone."""
_FEWEST: Final = 64
"""Weights of a kernel; the size of a smaller one says nothing."""
_TOLERANCE: Final = 6.0
"""Standard errors by which mean square and kurtosis of untrained weights may differ."""


def pretrained_groups(
    model: keras.Model, groups: Sequence[LayerGroup]
) -> tuple[bool, ...]:
    """Returns for each layer group whether it has been trained before.

    A layer is fresh if its kernel equals a sample of its initializer, and its biases,
    gains and moving statistics have their initial values. Low-rank factors beside a
    frozen kernel (LoRA) are fresh as long as one of them is zero.

    A kernel that only resembles a sample is no sign: some are like that after many
    updates. Layers without any sign count as what most of the others are.

    Args:
        model: Built; nothing of it is changed.
        groups: The groups of its trainable variables.

    Example:

        >>> import keras
        >>> from ganno_keras.control.layer_groups import layer_groups
        >>> model = keras.Sequential([keras.Input([4]), keras.layers.Dense(3)])
        >>> pretrained_groups(model, layer_groups(model))
        (False,)
        >>> _ = model.layers[0].bias.assign([0.1, 0.0, 0.0])
        >>> pretrained_groups(model, layer_groups(model))
        (True,)
    """
    owners = {
        id(variable): layer
        for layer in model._flatten_layers()
        for variable in layer._trainable_variables
    }
    found = [_is_pretrained(group, owners) for group in groups]
    known = [it for it in found if it is not None]
    usual = bool(known) and sum(known) * 2 > len(known)
    return tuple(usual if it is None else it for it in found)


def _is_pretrained(
    group: LayerGroup, owners: dict[int, keras.layers.Layer]
) -> bool | None:
    """Returns whether a group has been trained; None if there is no sign."""
    layers = {
        id(owner): owner
        for owner in (owners.get(id(variable)) for variable in group.variables)
        if owner is not None
    }
    votes = (vote for layer in layers.values() for vote in _votes(layer))
    found = None
    for vote in votes:
        if vote:
            return True  # without a look at the others, which may be large
        found = False
    return found


def _votes(layer: keras.layers.Layer) -> Iterator[bool]:
    """Yields for each sign whether it says that the layer has been trained."""
    if getattr(layer, "lora_enabled", False):
        yield _has_trained_factors(layer)
        return
    for name, value in _STATISTICS.items():
        statistic = getattr(layer, name, None)
        if isinstance(statistic, keras.Variable):
            yield bool((to_host(statistic) != value).any())
    known = sorted(_initialized(layer), key=lambda it: prod(it[0].shape))
    for variable, initializer in known:
        vote = _was_changed(variable, initializer)
        if vote and variable is getattr(layer, "bias", None):
            vote = not _is_forget_bias(layer, variable)
        if vote is not None:
            yield vote


def _is_forget_bias(layer: keras.layers.Layer, bias: keras.Variable) -> bool:
    """Returns whether a bias is that of a new LSTM, whose forget gates begin open."""
    if not getattr(layer, "unit_forget_bias", False):
        return False
    return bool(np.isin(to_host(bias), (0.0, 1.0)).all())


def _has_trained_factors(layer: keras.layers.Layer) -> bool:
    """Returns whether the second factor, initially zero, is no longer zero."""
    for name in _LORA_FACTORS:
        factor = getattr(layer, f"{name}_b", None)
        if isinstance(factor, keras.Variable):
            return bool(to_host(factor).any())
    return True


def _initialized(layer: keras.layers.Layer) -> Iterator[tuple[keras.Variable, Any]]:
    """Yields the variables of a layer with the initializers that it keeps for them."""
    for attribute, initializer in vars(layer).items():
        if not attribute.endswith("_initializer"):
            continue
        name = attribute.removesuffix("_initializer")
        for candidate in (name, f"_{name}", f"{name}_kernel"):
            variable = getattr(layer, candidate, None)
            if isinstance(variable, keras.Variable):
                yield variable, initializer
                break


def _was_changed(variable: keras.Variable, initializer: Any) -> bool | None:
    """Returns whether a variable has left its initial values; None if unknown."""
    size = prod(variable.shape)
    if size == 0 or not callable(initializer):
        return None
    is_constant = isinstance(initializer, _DETERMINISTIC)
    # Sampling would change an initializer that has a generator of its own.
    is_seeded = isinstance(getattr(initializer, "seed", None), int)
    if not is_constant and (not is_seeded or size > _LARGEST_DRAW):
        return None
    values = _as_floats(variable)
    if np.ndim(getattr(initializer, "value", 0.0)) > 1 and np.ptp(values):
        return True  # A matrix of the user's: it was learned, somewhere else.
    # With the type, as Keras calls it: an initializer need have no default for it.
    made = _as_floats(initializer(tuple(variable.shape), dtype=variable.dtype))
    if is_constant:
        return not np.array_equal(values, made)
    is_exact = str(variable.dtype) in ("float32", "float64")
    if _is_drawn(values, made, 1e-5 if is_exact else 1e-2):
        return False
    return None if _looks_like(values, made) else True


def _as_floats(tensor: Any) -> np.ndarray:
    """Returns the numbers of a tensor, in float32 for half the memory."""
    return to_host(tensor).astype(np.float32, copy=False)


def _is_drawn(values: np.ndarray, made: np.ndarray, tolerance: float) -> bool:
    """Returns whether weights equal this sample, up to their scale.

    The scale may be another one where a layer informs its initializer which axes are
    inputs, as `EinsumDense` does.
    """
    square = float(np.sum(np.square(made), dtype=np.float64))
    if square == 0.0:
        return not values.any()
    scale = float(np.sum(values * made, dtype=np.float64)) / square
    largest = tolerance * scale * float(np.abs(made).max())
    return bool(scale > 0.0 and np.abs(values - scale * made).max() <= largest)


def _looks_like(values: np.ndarray, made: np.ndarray) -> bool:
    """Returns whether weights have the size and shape of another sample.

    Of a few weights nobody can tell.
    """
    count = values.size
    expected = float(np.mean(np.square(made), dtype=np.float64))
    if expected == 0.0 or count < _FEWEST:
        return expected > 0.0
    standard_error = sqrt(2.0 / count)
    size = np.mean(np.square(values), dtype=np.float64) / expected
    tails = _kurtosis(values) - _kurtosis(made)
    return bool(
        abs(size - 1.0) < _TOLERANCE * standard_error
        and abs(tails) < _TOLERANCE * sqrt(24.0 / count)
    )


def _kurtosis(values: np.ndarray) -> float:
    centred = values - values.mean(dtype=np.float64)
    return float(np.mean(centred**4) / max(np.mean(centred**2) ** 2, 1e-300))

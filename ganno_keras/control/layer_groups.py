# SPDX-License-Identifier: Apache-2.0
"""Layer groups: the trainable variables of each leaf layer, which one agent controls.

Owners are found by the identity of a variable, never by its name. Nested models may
repeat the names of their layers, and shared layers appear in several places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import keras


@dataclass(frozen=True, eq=False)  # because compared variables have no truth value
class LayerGroup:
    """The trainable variables that share one learning rate, set by one agent.

    Args:
        name: The path of the layer that owns the variables, unique within a model.
        kind: One of `LAYER_KINDS` in `layer_kinds`.
        depth: One of `LAYER_DEPTHS`, by the place among all groups of the model.
        variables: The group's trainable variables, in the model's order.
    """

    name: str
    kind: str
    depth: str
    variables: tuple[keras.Variable, ...]

    @property
    def num_weights(self) -> int:
        """Returns how many numbers the variables of the group hold together."""
        return sum(prod(variable.shape) for variable in self.variables)


def layer_groups(model: keras.Layer) -> tuple[LayerGroup, ...]:
    """Splits the trainable variables of a model into the groups that agents control.

    A group is a leaf layer. The parts of an attention layer, of a recurrent layer (all
    but stacked cells) and of `SpectralNormalization` count as one layer. Weights that
    the model itself or an inner block owns form a group of their own, and so do
    variables that no layer owns. Every trainable variable is in exactly one group,
    but for those that `is_overwritten` names.

    Args:
        model: A built model or layer. Frozen variables belong to no group.

    Returns:
        The groups, in the order of `model.trainable_variables`.

    Raises:
        ValueError: The model is not built, so that it has no variables yet.

    Example:

        >>> import keras
        >>> model = keras.Sequential(
        ...     [keras.Input([4]), keras.layers.Dense(3), keras.layers.Dense(2)]
        ... )
        >>> [(group.kind, group.depth, group.num_weights)
        ...  for group in layer_groups(model)]
        [('linear', 'first', 15), ('linear', 'last', 8)]

    Paper: section 4, one agent a layer; appendix A, "layer type" and "layer depth".
    """
    if not model.built:
        raise ValueError(
            f"Layer groups need a built model. Received: {model.name!r}, which has not "
            "been built. Call `model.build(input_shape)`, or call the model on a batch."
        )
    return groups_of(model.trainable_variables, model)


def groups_of(
    variables: Iterable[keras.Variable], model: keras.Layer
) -> tuple[LayerGroup, ...]:
    """Splits variables that an optimizer trains into groups, as `layer_groups` does.

    Args:
        variables: Some or all of the model's, and others. Those that are frozen or
            overwritten are left out.
        model: Whose layers own the variables. It need not be built.

    Returns:
        The groups, in the order of the variables.
    """
    labels: dict[int, _Label] = {}
    for layer, label in _labelled_layers(model):
        for variable in layer._trainable_variables:
            labels.setdefault(id(variable), label)
    return _grouped((v for v in variables if v.trainable), labels)


def is_overwritten(variable: Any) -> bool:
    """Returns whether a variable has no rate: each step replaces it by its gradient.

    The scales and histories of float8 are such variables. Keras calls them trainable,
    and takes them out of each update. An optimizer keeps no slots for them.

    Args:
        variable: A variable of Keras or of the backend.
    """
    return bool(getattr(variable, "overwrite_with_gradient", False))


def layers_with_kinds(model: keras.Layer) -> Iterator[tuple[keras.Layer, str]]:
    """Yields all layers of a model, frozen ones too, each with its kind."""
    yield from ((layer, label.kind) for layer, label in _labelled_layers(model))


def check_keras_model(model: object) -> None:
    """Refuses what is no model of Keras 3.

    Raises:
        TypeError: If the model is one of the legacy Keras, or no model of Keras at all.
    """
    if isinstance(model, keras.Model):
        return
    sort = f"{type(model).__module__}.{type(model).__qualname__}"
    libraries = {cls.__module__.partition(".")[0] for cls in type(model).__mro__}
    if "tf_keras" in libraries:
        raise TypeError(
            f"Received {sort}, a model of the legacy Keras (tf_keras); Keras 3 is "
            "needed. Make the model with `import keras`, and unset the environment "
            "variable TF_USE_LEGACY_KERAS if you import Keras as tf.keras."
        )
    raise TypeError(
        f"Received {sort}. Pass a model of Keras 3, such as keras.Sequential or "
        "another keras.Model."
    )


def groups_by_path(variables: Sequence[keras.Variable]) -> tuple[LayerGroup, ...]:
    """Groups variables by the path of their layer, for use without a model.

    Args:
        variables: Trainable variables, each in the list once. Those that are
            overwritten are left out.

    Returns:
        One group of kind `other` for each path prefix, in the order of the variables.
    """
    return _grouped(variables, labels={})


def single_group(groups: Sequence[LayerGroup]) -> tuple[LayerGroup]:
    """Merges all groups into one, for the single-agent mode.

    Args:
        groups: The groups of a model, at least one.

    Returns:
        One group `all` of depth `first`; its kind is the common one, or `other`.

    Raises:
        ValueError: There is no group to merge.

    Paper: section 5, the single-agent ablation.
    """
    if not groups:
        raise ValueError(
            "Received no layer groups: the model has no trainable variables. Pass the "
            "groups of a model that has some."
        )
    kinds = {group.kind for group in groups}
    variables = tuple(variable for group in groups for variable in group.variables)
    kind = kinds.pop() if len(kinds) == 1 else "other"
    return (LayerGroup("all", kind, "first", variables),)


class _Label(NamedTuple):
    """The name and kind of a group, and a key, since layers may share name and kind."""

    key: int | str
    name: str
    kind: str


def _layer_types(*names: str) -> tuple[type[keras.Layer], ...]:
    """Returns the layers of these names that the installed Keras has."""
    return tuple(
        getattr(keras.layers, name) for name in names if hasattr(keras.layers, name)
    )


_KINDS: tuple[tuple[str, tuple[type[keras.Layer], ...]], ...] = (
    ("linear", _layer_types("Dense", "EinsumDense")),
    (
        "convolution",
        _layer_types(
            *(
                f"{form}{rank}D"
                for form in ("Conv", "DepthwiseConv", "SeparableConv")
                for rank in (1, 2, 3)
            ),
            *(f"Conv{rank}DTranspose" for rank in (1, 2, 3)),
        ),
    ),
    (
        "attention",
        _layer_types(
            "MultiHeadAttention",
            "GroupedQueryAttention",
            "GroupQueryAttention",
            "Attention",
            "AdditiveAttention",
        ),
    ),
    (
        "recurrent",
        _layer_types("RNN", "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"),
    ),
    ("embedding", _layer_types("Embedding")),
    (
        "normalization",
        _layer_types(
            "BatchNormalization",
            "GroupNormalization",
            "LayerNormalization",
            "RMSNormalization",
            "UnitNormalization",
        ),
    ),
)
_COMPOSITES = _layer_types(
    "MultiHeadAttention",
    "GroupedQueryAttention",
    "GroupQueryAttention",
    "SpectralNormalization",
)


def _kind(layer: keras.Layer) -> str:
    if isinstance(layer, keras.layers.SpectralNormalization):
        return _kind(layer.layer)
    return next((kind for kind, types in _KINDS if isinstance(layer, types)), "other")


def _is_composite(layer: keras.Layer) -> bool:
    """Returns whether everything below the layer belongs to its group."""
    if isinstance(layer, keras.layers.RNN):
        return not isinstance(layer.cell, keras.layers.StackedRNNCells)
    return isinstance(layer, _COMPOSITES)


def _labelled_layers(
    layer: keras.Layer, composite: _Label | None = None, recurrent: bool = False
) -> Iterator[tuple[keras.Layer, _Label]]:
    """Yields a layer and all layers below it; shared layers come more than once."""
    recurrent = recurrent or isinstance(layer, keras.layers.RNN)
    kind = "recurrent" if recurrent else _kind(layer)
    label = composite or _Label(id(layer), layer.path or layer.name, kind)
    yield layer, label
    if _is_composite(layer):
        composite = label
    for child in layer._layers:
        yield from _labelled_layers(child, composite, recurrent)


def _path_label(variable: keras.Variable) -> _Label:
    """Returns the label of a variable that no layer owns."""
    path = str(getattr(variable, "path", variable.name))
    name = path.rpartition("/")[0] or path
    return _Label(name, name, "other")


def _grouped(
    variables: Iterable[keras.Variable], labels: Mapping[int, _Label]
) -> tuple[LayerGroup, ...]:
    """Makes the groups, in the order of their first variables."""
    members: dict[_Label, list[keras.Variable]] = {}
    for variable in variables:
        if is_overwritten(variable):
            continue
        label = labels.get(id(variable)) or _path_label(variable)
        members.setdefault(label, []).append(variable)
    depths = ["first", *["intermediate"] * (len(members) - 2), "last"]
    names = _unique(label.name for label in members)
    return tuple(
        LayerGroup(name, label.kind, depth, tuple(group))
        for name, depth, (label, group) in zip(
            names, depths[: len(members)], members.items(), strict=True
        )
    )


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Yields the names, with a number added to each repeated one."""
    taken: set[str] = set()
    for name in names:
        candidate, number = name, 1
        while candidate in taken:
            candidate, number = f"{name}_{number}", number + 1
        taken.add(candidate)
        yield candidate


def short_names(groups: Sequence[LayerGroup], model_name: str) -> tuple[str, ...]:
    """Returns the groups' names, without the model's name if they stay unique."""
    names = [group.name for group in groups]
    short = [name.removeprefix(f"{model_name}/") for name in names]
    return tuple(short if len(set(short)) == len(names) else names)

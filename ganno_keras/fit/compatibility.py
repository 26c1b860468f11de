# SPDX-License-Identifier: Apache-2.0
"""Checks of what GANNO needs from a model, and of what a policy needs to see.

All of it is checked before anything is changed.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import keras

from ganno_keras.control.layer_groups import check_keras_model
from ganno_keras.fit.settings import ControlSettings
from ganno_keras.monitoring.loss_source import has_own_step
from ganno_keras.monitoring.metric_sums import accuracy_metrics
from ganno_keras.optimizers.backend import has_own_schedule
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer
from ganno_keras.optimizers.specialised_optimizer import (
    check_can_be_specialised,
    innermost,
    unwrapped,
)
from ganno_keras.policies import PolicyMetadata

_OF_TENSORFLOW: Final = "_self_"
"""Attributes in which TensorFlow keeps what it finds in others."""

_MOST_PARTS: Final = 100
"""Of a container that is looked through."""


def check_model(model: keras.Model) -> None:
    """Refuses a model that GANNO cannot train.

    Raises:
        TypeError: If it is no model of Keras 3.
        ValueError: If the model is not compiled, has no optimizer or several of them,
            or has no trainable variables. Or if the optimizer cannot be specialised.
    """
    check_keras_model(model)
    if not getattr(model, "compiled", False) or model.optimizer is None:
        raise ValueError(
            f"The model {model.name!r} has no optimizer, so GANNO has no learning rates"
            " to control. Call model.compile(optimizer=...) before model.fit."
        )
    check_can_be_specialised(innermost(model.optimizer))
    others = _other_optimizers(model)
    if others:
        raise ValueError(
            f"The model {model.name!r} has further optimizers in its attributes "
            f"{others}. GANNO controls the one given to model.compile, and would not "
            "see the updates of the others. Train such a model (a GAN, say) without "
            "GANNO, or use ganno_keras.LayerwiseOptimizer for each optimizer."
        )
    if model.built:
        check_trainable(model)
    _check_optimizer_variables(model)


def check_trainable(model: keras.Model) -> None:
    """Refuses a built model without trainable variables.

    Raises:
        ValueError: If there is nothing to train.
    """
    if not model.trainable_variables:
        raise ValueError(
            f"The model {model.name!r} has no trainable variables, so there is no layer"
            " to control. Set layer.trainable = True and compile the model again, or "
            "fit it without GANNO."
        )


def expect_variables(model: keras.Model, layerwise: LayerwiseOptimizer) -> None:
    """Builds an optimizer that is going to train all variables of a built model.

    Keras would do it in its first step, when callbacks have loaded and kept what they
    found. A step of the user's own may train others: they are expected only.
    """
    if (layerwise.table.built and layerwise.inner_optimizer.built) or not model.built:
        return
    if has_own_step(model):
        layerwise.expect(model.trainable_variables)
    else:
        model.optimizer.build(model.trainable_variables)


def _check_optimizer_variables(model: keras.Model) -> None:
    optimizer = unwrapped(model.optimizer)[-1]
    if not optimizer.built or has_own_step(model):
        return
    key = optimizer._var_key
    known = {key(variable) for variable in optimizer._trainable_variables}
    unknown = [v.path for v in model.trainable_variables if key(v) not in known]
    if unknown:
        raise ValueError(
            f"The optimizer was not built with the variables {unknown} of the model "
            f"{model.name!r}. Compile the model again if a layer's `trainable` has "
            "changed since, or its weights."
        )


def _other_optimizers(model: keras.Model) -> list[str]:
    own = {id(it) for it in unwrapped(model.optimizer)}
    return sorted(
        name
        for name, value in vars(model).items()
        if not name.startswith(_OF_TENSORFLOW)
        and any(id(it) not in own for it in optimizers_in(value))
    )


def optimizers_in(value: Any, depth: int = 3) -> list[keras.optimizers.Optimizer]:
    """Returns the optimizers in an attribute, in containers and plain objects, too."""
    if depth < 0:
        return []
    if isinstance(value, keras.optimizers.Optimizer):
        return [value]
    if isinstance(value, dict):
        parts = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        parts = list(value)
    elif _is_namespace(value):
        parts = list(vars(value).values())
    else:
        return []
    # The beginning of a long list, data perhaps, shows what it holds.
    parts = parts[:_MOST_PARTS]
    return [it for part in parts for it in optimizers_in(part, depth - 1)]


def _is_namespace(value: Any) -> bool:
    """Returns whether a value only holds attributes and is no part of Keras."""
    library = type(value).__module__.partition(".")[0]
    return hasattr(value, "__dict__") and not (
        isinstance(value, type | ModuleType)
        or callable(value)
        or library in ("keras", "tensorflow", "jax", "torch", "numpy", "ganno_keras")
        or isinstance(value, keras.Layer | keras.Variable | keras.metrics.Metric)
    )


def check_policy(model: keras.Model, settings: ControlSettings) -> None:
    """Refuses a policy that would be misled, and data that does not fit.

    Raises:
        ValueError: If the policy would take a missing validation set or accuracy for a
            0, or the validation data does not fit the model. Or if the policy starts
            from the optimizer's learning rate and that is a schedule.
    """
    metadata, validation = settings.policy.metadata, settings.validation
    _check_start(model, settings)
    entries = {"validation_accuracy", "validation_loss", "train_validation_loss_ratio"}
    if validation is None and _is_misled(metadata, entries, "validation_is_known"):
        raise ValueError(
            f"The policy {metadata.name!r} was trained to see a validation loss and has"
            " no way to see that there is none. Pass GANNO(validation_data=(x, y)), or "
            "use a policy whose observation has the entry validation_is_known."
        )
    if validation is not None and model.built:
        validation.check(model)
    if model.built and _has_all_metrics(model):
        check_accuracy(model, metadata)


def _check_start(model: keras.Model, settings: ControlSettings) -> None:
    metadata, optimizer = settings.policy.metadata, innermost(model.optimizer)
    action_set = metadata.action_set
    starts_there = settings.base == "policy" and not action_set.has_own_rates
    if starts_there and has_own_schedule(optimizer):
        raise ValueError(
            f"The learning rate of the optimizer {optimizer.name!r} is a schedule or "
            f"a function: {optimizer._learning_rate!r}, and the policy "
            f"{metadata.name!r} changes the rate that a layer has. Compile with a "
            "number, or pass a policy that acts on the schedule, such as "
            'GANNO("anchor", base="optimizer").'
        )


def check_accuracy(model: keras.Model, metadata: PolicyMetadata) -> None:
    """Refuses a policy that would be misled by a model without accuracy.

    Raises:
        ValueError: If the policy would take that for an accuracy of 0.
    """
    entries = {"train_accuracy", "validation_accuracy"}
    is_misled = _is_misled(metadata, entries, "accuracy_is_known")
    if is_misled and not accuracy_metrics(model):
        raise ValueError(
            f"The policy {metadata.name!r} was trained to see an accuracy and has no "
            "way to see that there is none. Compile the model with "
            "metrics=['accuracy'], or use a policy whose observation has the entry "
            "accuracy_is_known."
        )


def _has_all_metrics(model: keras.Model) -> bool:
    """Returns whether the metrics exist; TensorFlow makes them in the first step."""
    return all(getattr(metric, "built", True) for metric in model.metrics)


def _is_misled(metadata: PolicyMetadata, entries: set[str], flag: str) -> bool:
    masked = metadata.observation_spec.masked
    return flag in masked and bool(entries - masked)

# SPDX-License-Identifier: Apache-2.0
"""What a model has to be for GANNO, and what a policy has to be shown.

All of it is checked before anything is changed.
"""

from __future__ import annotations

import keras

from ganno_keras.fit.settings import ControlSettings
from ganno_keras.monitoring.metric_sums import accuracy_metrics
from ganno_keras.optimizers.specialised_optimizer import (
    check_can_be_specialised,
    innermost,
)
from ganno_keras.policies import PolicyMetadata


def check_model(model: keras.Model) -> None:
    """Refuses a model that GANNO cannot train.

    Raises:
        ValueError: If the model is not compiled, has no optimizer or several of them,
            or has no trainable variables; or if the optimizer cannot be specialised.
    """
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
            f"{others}; GANNO controls the one given to model.compile, and would not "
            "see the updates of the others. Train such a model (a GAN, say) without "
            "GANNO, or use ganno_keras.LayerwiseOptimizer for each optimizer."
        )
    if model.built:
        check_trainable(model)


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


def _other_optimizers(model: keras.Model) -> list[str]:
    own = {id(model.optimizer), id(getattr(model.optimizer, "inner_optimizer", None))}
    names = {
        name
        for name, value in vars(model).items()
        for part in (value if isinstance(value, list | tuple) else [value])
        if isinstance(part, keras.optimizers.Optimizer) and id(part) not in own
    }
    return sorted(names)


def check_policy(model: keras.Model, settings: ControlSettings) -> None:
    """Refuses to hide from a policy what is missing, and data that does not fit.

    Raises:
        ValueError: If the policy could not tell a missing validation set or accuracy
            from a 0, or the validation data does not fit the model.
    """
    metadata, validation = settings.policy.metadata, settings.validation
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


def check_accuracy(model: keras.Model, metadata: PolicyMetadata) -> None:
    """Refuses to hide from a policy that the model has no accuracy.

    Raises:
        ValueError: If the policy could not tell that from an accuracy of 0.
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
    """Whether the compiled metrics exist; TensorFlow makes them in the first step."""
    return all(getattr(metric, "built", True) for metric in model.metrics)


def _is_misled(metadata: PolicyMetadata, entries: set[str], flag: str) -> bool:
    masked = metadata.observation_spec.masked
    return flag in masked and bool(entries - masked)

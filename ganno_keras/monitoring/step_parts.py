# SPDX-License-Identifier: Apache-2.0
"""What goes into a compiled step of a model, to know when it has to be made anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def step_parts(model: keras.Model, step: Callable[..., Any]) -> list[Any]:
    """Returns all parts of a step that may change, to be compared with `==`.

    Args:
        model: A compiled model.
        step: Its `train_step` or `test_step`.
    """
    return [
        id(model),
        getattr(step, "__func__", step),
        getattr(model, "_compile_config", None),
        bool(model.run_eagerly),
        model.jit_compile,
        [id(variable) for variable in model.variables],
        [id(variable) for variable in model.trainable_variables],
        [layer.trainable for layer in model._flatten_layers()],
        keras.config.floatx(),
    ]

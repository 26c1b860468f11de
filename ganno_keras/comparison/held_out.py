# SPDX-License-Identifier: Apache-2.0
"""The samples that trainings are judged on, and by which of their scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import keras

LOSS: Final = "loss"

_HIGHER: Final = (
    *("acc", "auc", "precision", "recall", "f1", "f_beta", "fbeta", "iou", "dice"),
    *("r2", "cosine_similarity", "psnr", "bleu", "kappa", "correlation"),
    *("sensitivity", "specificity"),
)
_LOWER: Final = (
    *("loss", "error", "mse", "mae", "msle", "mape", "hinge", "divergence"),
    *("entropy", "perplexity", "poisson"),
)


class HeldOut(NamedTuple):
    """Held-out samples.

    Args:
        name: What they are called: "validation data" or "test data".
        arguments: What `model.evaluate` needs to measure them.
    """

    name: str
    arguments: Mapping[str, Any]

    def scores(self, model: keras.Model) -> dict[str, float]:
        """Measures the loss and the metrics of a model."""
        found: Any = model.evaluate(**self.arguments, verbose=0, return_dict=True)
        return {name: float(value) for name, value in found.items()}


def held_out_samples(arguments: Mapping[str, Any], test_data: Any) -> HeldOut:
    """Finds what to judge by: the test data, or else what `fit` validates on.

    Args:
        arguments: The arguments of `fit`.
        test_data: As for `compare`; None without.

    Raises:
        ValueError: If there is nothing held out.
    """
    if test_data is not None:
        return HeldOut("test data", _evaluation(test_data, arguments))
    if arguments.get("validation_data") is not None:
        found = _evaluation(arguments["validation_data"], arguments)
        if arguments.get("validation_steps") is not None:
            found["steps"] = arguments["validation_steps"]
        return HeldOut("validation data", found)
    if arguments.get("validation_split"):
        return HeldOut("validation data", _evaluation(_last_part(arguments), arguments))
    raise ValueError(
        "There is nothing held out to compare by: the arguments of fit have neither "
        "validation_data nor validation_split, and there is no test_data. A training "
        "loss says too little. Pass one of them, such as test_data=(x_test, y_test)."
    )


def _evaluation(samples: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of `evaluate` for `(x, y)`, more of it, or a dataset."""
    x, y, weights = keras.utils.unpack_x_y_sample_weight(samples)
    if y is None:
        return {"x": x}
    size = arguments.get("validation_batch_size") or arguments.get("batch_size")
    return {"x": x, "y": y, "sample_weight": weights, "batch_size": size}


def _last_part(arguments: Mapping[str, Any]) -> tuple[Any, Any, Any]:
    """Returns the samples that `fit` holds out itself: the last ones."""
    given = tuple(arguments.get(name) for name in ("x", "y", "sample_weight"))
    count = len(keras.tree.flatten(given[0])[0])
    first = int(count * (1.0 - arguments["validation_split"]))
    x, y, weights = (
        None if it is None else keras.tree.map_structure(lambda a: a[first:], it)
        for it in given
    )
    return x, y, weights


class Measure(NamedTuple):
    """The score that ways to train are compared by."""

    name: str
    is_higher_better: bool


def choose_measure(
    scores: Mapping[str, float], name: str | None, is_higher_better: bool | None
) -> Measure:
    """Finds the score to compare by: the one asked for, or the first metric.

    Args:
        scores: What `evaluate` gives.
        name: The name of a score; None for the first metric whose better direction is
            known from its name, or else the loss.
        is_higher_better: Which direction is better; None to go by the name.

    Raises:
        ValueError: If there is no such score, or its better direction is not known.

    Example:

        >>> choose_measure({"loss": 0.3, "accuracy": 0.9}, None, None)
        Measure(name='accuracy', is_higher_better=True)
    """
    if name is None:
        known = [it for it in scores if it != LOSS and _direction(it) is not None]
        name = known[0] if known and is_higher_better is None else LOSS
    if name not in scores:
        raise ValueError(
            f"metric is {name!r}, and the model has {', '.join(map(repr, scores))}. "
            "Use one of these, or compile the model with it."
        )
    direction = _direction(name) if is_higher_better is None else is_higher_better
    if direction is None:
        raise ValueError(
            f"Whether a higher {name!r} is better cannot be told from its name. Pass "
            "higher_is_better=True or False as well."
        )
    return Measure(name, direction)


def _direction(name: str) -> bool | None:
    """Returns whether more of it is better; None if its name does not say so."""
    lowered = name.lower()
    if any(part in lowered for part in _LOWER):
        return False
    return True if any(part in lowered for part in _HIGHER) else None

# SPDX-License-Identifier: Apache-2.0
"""One training as its author wrote it: data, network, and one call of `fit` or more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import keras
import numpy as np

CROSS_ENTROPY: Final = "sparse_categorical_crossentropy"
NUM_RATES: Final = 8
MOST_HELD_OUT: Final = 1000
FEWEST_HELD_OUT: Final = 250
ADAM_TOP: Final = 0.1
"""The highest rate that is tried for Adam and its relatives."""

Samples = tuple[Any, np.ndarray]
"""Inputs and targets."""


class Data(NamedTuple):
    """The samples of a training in three parts, and what guessing would score."""

    train: Samples
    validation: Samples
    test: Samples
    chance: float
    """The error, or the loss, of the best answer that looks at no input."""

    @classmethod
    def of_parts(cls, parts: Sequence[Samples], chance: float) -> Data:
        """Training, held-out and test samples in a row."""
        train, validation, test = parts
        return cls(train, validation, test, chance)


def num_held_out(num_train: int) -> int:
    """Half as many samples as are trained on, as far as that is neither few nor many.

    They are measured after every epoch: more would cost more than the training.
    """
    return min(MOST_HELD_OUT, max(FEWEST_HELD_OUT, num_train // 2))


def _leave(_: keras.Model) -> None:
    """Changes nothing."""


def _no_callbacks() -> Sequence[keras.callbacks.Callback]:
    return ()


@dataclass(frozen=True)
class Fit:
    """One call of `compile` and `fit`.

    Args:
        epochs: As the author plans them; callbacks may end the fit earlier.
        rate: The author's learning rate.
        optimizer: Makes the optimizer from a rate or a schedule.
        prepare: Changes the model before it is compiled: freezes layers, adds LoRA.
        callbacks: Makes the author's callbacks.
        top: The highest rate that is tried when rates are tuned.
    """

    epochs: int
    rate: float = 1e-3
    optimizer: Callable[[Any], keras.optimizers.Optimizer] = keras.optimizers.Adam
    prepare: Callable[[keras.Model], None] = _leave
    callbacks: Callable[[], Sequence[keras.callbacks.Callback]] = _no_callbacks
    top: float = ADAM_TOP


@dataclass(frozen=True)
class Training:
    """A training with everything that its author chose.

    Args:
        name: What results call it.
        family: Under which heading it is reported.
        data: Loads the samples; the same ones for every seed.
        model: Builds the network from the data, or loads it.
        fits: The calls of `fit`, in order.
        batch_size: Samples in a minibatch.
        loss: As for `compile`.
        has_accuracy: Whether errors are compared, not losses.
        jit_compile: As for `compile`; on a CPU it speeds dense layers up.
        backbone: The pretrained network that the model is made from, if any.
    """

    name: str
    family: str
    data: Callable[[], Data]
    model: Callable[[Data], keras.Model]
    fits: tuple[Fit, ...]
    batch_size: int = 32
    loss: Any = CROSS_ENTROPY
    has_accuracy: bool = True
    jit_compile: bool = False
    backbone: str = ""

    @property
    def is_open_ended(self) -> bool:
        """Whether callbacks decide when it ends, or how its rate falls."""
        return any(fit.callbacks() for fit in self.fits)

    @property
    def weight_decay(self) -> float:
        """That of the author's optimizer in the last fit."""
        return float(self.fits[-1].optimizer(1e-3).weight_decay or 0.0)

    @property
    def tuning_rates(self) -> list[float]:
        """What is tried for the last fit: half a decade apart, up to the top."""
        top = self.fits[-1].top
        return [float(f"{top * 10 ** (-k / 2):.1g}") for k in range(NUM_RATES)][::-1]

    def definition(self) -> dict[str, Any]:
        """What a result stands and falls by, besides the names."""
        return {
            "epochs": [fit.epochs for fit in self.fits],
            "rates": [fit.rate for fit in self.fits],
            "optimizers": [type(fit.optimizer(fit.rate)).__name__ for fit in self.fits],
            "batch_size": self.batch_size,
        }

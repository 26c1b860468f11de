# SPDX-License-Identifier: Apache-2.0
"""The trainings of the second experiment, fine-tuning and LoRA."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ..cells import Cell, Network, network_of

FINE_TUNING_LENGTH: Final = 300
"""The plan had 500."""
FIRST_FINE_TUNING_STEPS: Final = (-3, -5, -1)
FIRST_LORA_STEPS: Final = (0, -2, 2)
CAREFUL_RATES: Final = (1e-3, 1e-4)
"""Of Adam, the better of which is not to be missed by more than a little."""

CONVOLUTIONS: Final = (
    network_of(
        "cnn5-16", "five_layer_cnn", "cifar10", "convolution", 64, filters=16, shrink=2
    ),
    network_of(
        "bn-cnn-16",
        "normalised_cnn",
        "cifar10",
        "convolution",
        64,
        filters=16,
        shrink=2,
    ),
)


def e2_cells() -> Iterator[Cell]:
    """The trainings of the second experiment: fine-tuning and LoRA.

    Origins: so many updates on the classes 0 to 4 of CIFAR-10, or on Fashion-MNIST.
    Targets: the classes 5 to 9 with a new head; noisy, shifted images of the classes 0
    to 4 with the same head; low-rank factors beside frozen layers and a new head.
    """
    sized = [
        replace(network, num_samples=count)
        for count in (500, 5000)
        for network in CONVOLUTIONS
    ]
    for origin in ("cifar3000", "cifar300"):
        yield from (fine_tuning(it, "adam", origin, "new-head") for it in sized)
    yield from (fine_tuning(it, "sgd", "cifar3000", "new-head") for it in sized)
    yield from (fine_tuning(it, "adam", "cifar3000", "same-head") for it in sized)
    yield from (fine_tuning(it, "adam", "cifar3000", "lora") for it in sized[::2])
    yield from (fine_tuning(it, "sgd", "cifar3000", "same-head") for it in sized)
    yield from (fine_tuning(it, "adam", "fashion3000", "new-head") for it in sized)
    yield from (fine_tuning(it, "sgd", "cifar300", "new-head") for it in sized)
    yield from (fine_tuning(it, "adam", "cifar300", "same-head") for it in sized)


def fine_tuning(
    network: Network,
    optimizer: str,
    origin: str,
    target: str,
    num_samples: int | None = None,
    length: int = FINE_TUNING_LENGTH,
) -> Cell:
    """Makes a cell of a network, on as many samples as it names or on others."""
    cut = replace(network, num_samples=num_samples or network.num_samples)
    return Cell(cut, optimizer, length, origin=origin, target=target)

# SPDX-License-Identifier: Apache-2.0
"""What networks are pretrained on and fine-tuned to in the second experiment."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np

from agents.tasks.datasets import load_dataset, standardise
from agents.tasks.objectives import find_objective
from agents.tasks.samples import Samples

from ..cells import Cell
from ..trainings import NUM_HELD_OUT, SEED, Data

NUM_PRETRAINING: Final = 18_000
NUM_OLD_CLASSES: Final = 5
TOKENS: Final = "tokens"
CLOTHES: Final = "clothes"
"""What origins in Fashion-MNIST begin with: pixels to be told, and classes."""
_CROP: Final = 28
_NOISE: Final = 0.7
_SHIFT: Final = 8  # pixels


def pretraining_data(origin: str) -> Data:
    """Classes 0 to 4 of CIFAR-10 or of Fashion-MNIST, or all of these."""
    if origin.startswith("fashion"):
        return _cut(_cropped("fashion_mnist"), NUM_PRETRAINING)
    if origin.startswith((TOKENS, CLOTHES)):
        return _clothes(origin, NUM_PRETRAINING, is_new=False)
    return _cut(_old_classes(), NUM_PRETRAINING)


def fine_tuning_data(cell: Cell) -> Data:
    """Training and held-out samples, none of which pretraining has seen."""
    count = cell.network.num_samples
    if cell.origin.startswith("fashion"):
        return _cut(_cropped("cifar10"), count)
    if cell.origin.startswith((TOKENS, CLOTHES)):
        return _clothes(cell.origin, count, is_new=True)
    if cell.target == "same-head":
        old = _old_classes()
        unseen = Samples(*(it[NUM_PRETRAINING:] for it in old))
        return _cut(_disturbed(unseen), count)
    images, labels = _cifar10()
    is_new = labels >= NUM_OLD_CLASSES
    new = Samples(images[is_new], labels[is_new] - NUM_OLD_CLASSES)
    return _cut(new, count)


def _cut(images: Samples, count: int, objective_name: str = "classification") -> Data:
    objective = find_objective(objective_name)
    parts = (slice(0, count), slice(len(images.targets) - NUM_HELD_OUT, None))
    train, held_out = (
        objective.samples(Samples(images.inputs[it], images.targets[it]))
        for it in parts
    )
    return Data(train, held_out, objective)


@lru_cache(maxsize=1)
def _cifar10() -> Samples:
    return standardise(load_dataset("cifar10")[0])[0]


def _old_classes() -> Samples:
    images, labels = _cifar10()
    is_old = labels < NUM_OLD_CLASSES
    return Samples(images[is_old], labels[is_old])


def _clothes(origin: str, count: int, is_new: bool) -> Data:
    """One half of the classes of Fashion-MNIST."""
    images, labels = load_dataset("fashion_mnist")[0]
    chosen = (labels >= NUM_OLD_CLASSES) == is_new
    half = Samples(images[chosen], labels[chosen] % NUM_OLD_CLASSES)
    if origin.startswith(TOKENS):
        return _cut(half, count, "next_pixels")
    return _cut(standardise(half)[0], count)


def _disturbed(data: Samples) -> Samples:
    """Images with noise, and shifted to the side."""
    generator = np.random.default_rng(SEED)
    noise = generator.normal(0.0, _NOISE, data.inputs.shape).astype(np.float32)
    return data._replace(inputs=np.roll(data.inputs, _SHIFT, axis=2) + noise)


@lru_cache(maxsize=2)
def _cropped(dataset: str) -> Samples:
    """Grey images of 28 x 28 pixels."""
    images, labels = load_dataset(dataset)[0]
    start = (images.shape[1] - _CROP) // 2
    part = slice(start, start + _CROP)
    grey = images[:, part, part].mean(axis=-1, keepdims=True)
    return standardise(Samples(grey, labels))[0]

# SPDX-License-Identifier: Apache-2.0
"""The samples of a drawn task: its own, held-out ones, and those of its pretraining.

All are made of the training set of the embedded images. Pretraining, training and both
held-out samples share no image.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from .datasets import EMBEDDED, load_dataset
from .drawn_tasks import (
    CLEAN_IMAGES,
    NETWORKS,
    OTHER_CLASSES,
    STANDARDISED,
    DrawnTask,
)
from .samples import Samples

NUM_CLASSES: Final = 10
_PRETRAINING: Final = slice(0, 2500)
_TRAINING: Final = slice(2500, 5500)
_WATCHED: Final = slice(5500, 6000)
_HELD_OUT: Final = slice(6000, 8000)
_SHIFT: Final = 4  # pixels of the image before it is shrunk


class DrawnData(NamedTuple):
    """The samples of a drawn task; images are float32, labels int32 from 0 to 9."""

    train: Samples
    watched: Samples
    """Held out; what an agent sees as validation."""
    held_out: Samples
    """What the outcome is measured on, which no agent sees."""
    pretraining: Samples


def load_drawn_data(task: DrawnTask) -> DrawnData:
    """Makes the samples of a task, the same ones each time.

    Args:
        task: What was drawn.
    """
    random = task.random
    images, labels = load_dataset(EMBEDDED)[0]
    classes = random.permutation(NUM_CLASSES)
    halves = (classes[: NUM_CLASSES // 2], classes[NUM_CLASSES // 2 :])
    is_split = task.pretraining == OTHER_CLASSES
    origin, target = halves if is_split else (classes, classes)
    disturbed = _disturbed(images, task, random)
    clean = images if task.pretraining == CLEAN_IMAGES else disturbed
    train = _of_classes(disturbed[_TRAINING], labels[_TRAINING], target)
    kept = Samples(*(values[: task.num_samples] for values in train))
    noisy = _noisy(kept.targets, task.label_noise, target, random)
    parts = (
        kept._replace(targets=noisy),
        _of_classes(disturbed[_WATCHED], labels[_WATCHED], target),
        _of_classes(disturbed[_HELD_OUT], labels[_HELD_OUT], target),
        _of_classes(clean[_PRETRAINING], labels[_PRETRAINING], origin),
    )
    return DrawnData(*_scaled(parts, task))


def _disturbed(
    images: np.ndarray, task: DrawnTask, random: np.random.Generator
) -> np.ndarray:
    """Adds the noise of a task; networks that know clean images get shifted ones."""
    moved = images
    if task.pretraining == CLEAN_IMAGES:
        moved = np.roll(images, _SHIFT, axis=2)
    # Averaging over squares would take most of the noise away again.
    deviation = task.input_noise * NETWORKS[task.network].shrink
    noise = random.normal(0.0, 1.0, images.shape).astype(np.float32)
    return moved + np.float32(deviation) * noise


def _of_classes(images: np.ndarray, labels: np.ndarray, classes: np.ndarray) -> Samples:
    is_chosen = np.isin(labels, classes)
    return Samples(images[is_chosen], labels[is_chosen])


def _noisy(
    labels: np.ndarray,
    share: float,
    classes: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    drawn = random.choice(classes, len(labels)).astype(labels.dtype)
    return np.where(random.random(len(labels)) < share, drawn, labels)


def _scaled(parts: tuple[Samples, ...], task: DrawnTask) -> list[Samples]:
    """Shrinks all images, and scales them as one does before training."""
    shrink = NETWORKS[task.network].shrink
    small = [_shrunk(part.inputs, shrink) for part in parts]
    if task.input_scale == STANDARDISED:
        shift, scale = small[0].mean(), 1.0 / max(float(small[0].std()), 1e-6)
    else:
        shift, scale = np.float32(0.0), task.input_scale
    return [
        part._replace(inputs=(images - shift) * np.float32(scale))
        for part, images in zip(parts, small, strict=True)
    ]


def _shrunk(images: np.ndarray, shrink: int) -> np.ndarray:
    count, height, width, channels = images.shape
    squares = images.reshape(
        count, height // shrink, shrink, width // shrink, shrink, channels
    )
    return np.asarray(squares.mean(axis=(2, 4), dtype=np.float32))

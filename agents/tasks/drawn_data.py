# SPDX-License-Identifier: Apache-2.0
"""The samples of a drawn task: its own, held-out ones, and those of its pretraining.

All are made of the training set of some images. Pretraining, training and both held-out
samples share no image.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from .datasets import load_dataset
from .objectives import find_objective
from .samples import Samples

NUM_CLASSES: Final = 10

FROM_SCRATCH: Final = "no"
OTHER_CLASSES: Final = "other classes"
CLEAN_IMAGES: Final = "clean images"
PRETRAININGS: Final = (FROM_SCRATCH, OTHER_CLASSES, CLEAN_IMAGES)
"""Where weights come from: an initializer; the same network on the other half of the
classes, with a new head; the same on images without noise that are not shifted."""

STANDARDISED: Final = 0.0
"""The input scale that stands for mean 0 and deviation 1."""

# What tasks are drawn from, whatever their networks.
INPUT_SCALES: Final = (0.3, 1.0, STANDARDISED)
"""What pixels of [0, 1] are multiplied by."""
INPUT_NOISES: Final = (0.0, 0.2, 0.4)
"""Deviations of the noise on pixels of [0, 1]."""
LABEL_NOISES: Final = (0.0, 0.0, 0.2, 0.4)
PRETRAINING_SHARES: Final = (0.6, 0.2, 0.2)
PRETRAINING_UPDATES: Final = (100, 300, 1000)

_PRETRAINING: Final = (0.0, 0.3125)
_TRAINING: Final = (0.3125, 0.6875)
_WATCHED: Final = (0.6875, 0.75)
_HELD_OUT: Final = (0.75, 1.0)
_MOST_PRETRAINING: Final = 2500
_MOST_HELD_OUT: Final = 2000
_SHIFT: Final = 4  # pixels of the image before it is shrunk


class DrawnData(NamedTuple):
    """The samples of a drawn task; images are float32, labels int32 from 0 to 9."""

    train: Samples
    watched: Samples
    """Held out; what an agent sees as validation."""
    held_out: Samples
    """What the outcome is measured on, which no agent sees."""
    pretraining: Samples


@dataclass(frozen=True)
class DataDraw:
    """What was drawn about the samples of a task.

    Args:
        seeds: Decide everything random about them.
        dataset: A set of square images with ten classes, by name.
        shrink: Width and height of the squares of pixels that are averaged first.
        num_samples: To train on.
        label_noise: Share of the training labels that are drawn anew.
        input_scale: What pixels of [0, 1] are multiplied by; `STANDARDISED` for mean 0
            and deviation 1.
        input_noise: Deviation of the noise on all pixels.
        pretraining: One of `PRETRAININGS`.
        objective: What the network is trained to do.
    """

    seeds: tuple[int, ...]
    dataset: str
    shrink: int
    num_samples: int
    label_noise: float
    input_scale: float
    input_noise: float
    pretraining: str
    objective: str = "classification"


def load_drawn_data(draw: DataDraw) -> DrawnData:
    """Makes the samples of a task, the same ones each time.

    There are fewer to train on than was drawn if the data set, or half of its classes,
    has fewer.
    """
    random = np.random.default_rng([*draw.seeds, 1])
    data = _training_set(draw.dataset)
    classes = random.permutation(NUM_CLASSES)
    halves = (classes[: NUM_CLASSES // 2], classes[NUM_CLASSES // 2 :])
    is_split = draw.pretraining == OTHER_CLASSES
    origin, target = halves if is_split else (classes, classes)
    train = _part(data, _TRAINING, target, draw.num_samples)
    parts = (
        train._replace(targets=_noisy(train.targets, draw.label_noise, target, random)),
        _part(data, _WATCHED, target, _MOST_HELD_OUT),
        _part(data, _HELD_OUT, target, _MOST_HELD_OUT),
        _part(data, _PRETRAINING, origin, _MOST_PRETRAINING),
    )
    is_clean = (False, False, False, draw.pretraining == CLEAN_IMAGES)
    disturbed = [
        part if clean else part._replace(inputs=_disturbed(part.inputs, draw, random))
        for part, clean in zip(parts, is_clean, strict=True)
    ]
    samples = find_objective(draw.objective).samples
    return DrawnData(*(samples(part) for part in _scaled(disturbed, draw)))


@cache
def _training_set(name: str) -> Samples:
    return load_dataset(name)[0]


def _part(
    data: Samples, shares: tuple[float, float], classes: np.ndarray, most: int
) -> Samples:
    """Takes the first samples of some classes in a part of a data set."""
    start, stop = (round(share * len(data.targets)) for share in shares)
    chosen = start + np.flatnonzero(np.isin(data.targets[start:stop], classes))[:most]
    return Samples(data.inputs[chosen], data.targets[chosen])


def _disturbed(
    images: np.ndarray, draw: DataDraw, random: np.random.Generator
) -> np.ndarray:
    """Adds the noise of a task; networks that know clean images get shifted ones."""
    if draw.pretraining == CLEAN_IMAGES:
        images = np.roll(images, _SHIFT, axis=2)
    # Averaging over squares would take most of the noise away again.
    deviation = draw.input_noise * draw.shrink
    noise = random.standard_normal(images.shape, np.float32)
    return images + np.float32(deviation) * noise


def _noisy(
    labels: np.ndarray,
    share: float,
    classes: np.ndarray,
    random: np.random.Generator,
) -> np.ndarray:
    drawn = random.choice(classes, len(labels)).astype(labels.dtype)
    return np.where(random.random(len(labels)) < share, drawn, labels)


def _scaled(parts: list[Samples], draw: DataDraw) -> list[Samples]:
    """Shrinks all images, and scales them as one does before training."""
    small = [_shrunk(part.inputs, draw.shrink) for part in parts]
    if draw.input_scale == STANDARDISED:
        shift, scale = small[0].mean(), 1.0 / max(float(small[0].std()), 1e-6)
    else:
        shift, scale = np.float32(0.0), draw.input_scale
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

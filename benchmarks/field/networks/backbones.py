# SPDX-License-Identifier: Apache-2.0
"""Networks that were trained before, for those who fine-tune; made once, then kept.

    python -m benchmarks.field pretrain

They are kept where git does not look. What is missing is made when it is needed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import keras

from ..data import images, text
from ..training import CROSS_ENTROPY, Data
from . import classifiers

FOLDER: Final = Path(__file__).parents[3] / "runs" / "field" / "backbones"
SEED: Final = 2023
RATE: Final = 1e-3


@dataclass(frozen=True)
class Backbone:
    """A network and what it is trained on, with Adam and a cosine from 0.001."""

    data: Callable[[], Data]
    model: classifiers.Builder
    epochs: int
    batch_size: int = 64


def _seen_before(name: str, count: int) -> Callable[[], Data]:
    start = images.FOR_PRETRAINING
    return lambda: images.image_data(name, count, classes=images.FIRST, start=start)


BACKBONES: Final[Mapping[str, Backbone]] = {
    "resnet": Backbone(
        _seen_before("cifar10", 11_000), classifiers.residual_cnn((64, 128)), 5
    ),
    "vit": Backbone(
        _seen_before("cifar10", 11_000),
        classifiers.vision_transformer(128, 2, patch=5),
        6,
    ),
    "perceptron": Backbone(
        _seen_before("fashion_mnist", 16_000),
        classifiers.perceptron((512, 512, 256)),
        6,
    ),
    "gpt": Backbone(
        lambda: text.next_characters(text.sources, 24_000, 32),
        classifiers.language_model(128, 2, text.NUM_CHARACTERS),
        epochs=1,
        batch_size=16,
    ),
}


def load_backbone(name: str) -> keras.Model:
    """Loads a pretrained network, or makes it first.

    Args:
        name: One of `BACKBONES`.
    """
    return keras.saving.load_model(make_backbone(name), compile=False)


def make_backbone(name: str) -> Path:
    """Pretrains a network unless that was done before; returns its file.

    The global seed is another one afterwards.

    Raises:
        MissingDataError: If its data cannot be had.
    """
    path = FOLDER / f"{name}.keras"
    if not path.exists():
        _pretrain(name, path)
    return path


def _pretrain(name: str, path: Path) -> None:
    backbone = BACKBONES[name]
    keras.utils.set_random_seed(SEED)
    data = backbone.data()
    model = backbone.model(data)
    num_updates = backbone.epochs * -(-len(data.train[1]) // backbone.batch_size)
    rate = keras.optimizers.schedules.CosineDecay(RATE, num_updates)
    model.compile(keras.optimizers.Adam(rate), CROSS_ENTROPY, metrics=["accuracy"])
    model.jit_compile = False
    x, y = data.train
    model.fit(x, y, batch_size=backbone.batch_size, epochs=backbone.epochs, verbose=0)
    scores = model.evaluate(*data.test, batch_size=500, verbose=0, return_dict=True)
    print(f"Pretrained {name}: {scores}", flush=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{os.getpid()}.{path.name}")
    model.save(unfinished, include_optimizer=False)
    unfinished.replace(path)

# SPDX-License-Identifier: Apache-2.0
"""Image networks from scratch with Adam or AdamW."""

from __future__ import annotations

from functools import partial
from typing import Final

from keras.optimizers import AdamW

from ..data.images import as_masks, as_reconstruction, corrupted, image_data
from ..networks import classifiers, generators
from ..training import Data, Fit, Training

FAMILY: Final = "images from scratch"


def _cifar(num_train: int) -> Data:
    return image_data("cifar10", num_train)


def _fashion(num_train: int) -> Data:
    return image_data("fashion_mnist", num_train)


TRAININGS: Final = (
    Training(
        "cnn-strided-cifar",
        FAMILY,
        partial(_cifar, 3000),
        classifiers.strided_cnn((64, 128, 256), 256),
        (Fit(epochs=3),),
    ),
    Training(
        "cnn-pooled-fashion",
        FAMILY,
        partial(_fashion, 4000),
        classifiers.pooled_cnn((64, 128)),
        (Fit(epochs=2),),
    ),
    Training(
        "resnet-cifar",
        FAMILY,
        partial(_cifar, 3000),
        classifiers.residual_cnn((64, 128)),
        (Fit(epochs=3),),
    ),
    Training(
        "vit-fashion",
        FAMILY,
        partial(_fashion, 3000),
        classifiers.vision_transformer(128, 2, patch=4, dropout=0.1),
        # Rate and decay of Keras' example.
        (Fit(epochs=3, optimizer=partial(AdamW, weight_decay=1e-4)),),
    ),
    Training(
        "mixer-cifar",
        FAMILY,
        partial(_cifar, 4000),
        classifiers.mixer(128, 2, patch=5),
        (Fit(epochs=3, optimizer=partial(AdamW, weight_decay=1e-4)),),
    ),
    Training(
        "perceptron-1024-cifar",
        FAMILY,
        partial(_cifar, 6000),
        classifiers.perceptron((1024, 1024, 1024)),
        (Fit(epochs=3),),
        batch_size=64,
        jit_compile=True,
    ),
    Training(
        "u-net-fashion",
        FAMILY,
        lambda: as_masks(_fashion(1000)),
        generators.u_net(64),
        (Fit(epochs=2),),
        batch_size=16,
        loss="binary_crossentropy",
        has_accuracy=False,
    ),
    Training(
        "autoencoder-fashion",
        FAMILY,
        lambda: as_reconstruction(_fashion(3000), corrupted),
        generators.convolutional_autoencoder(64),
        (Fit(epochs=2),),
        loss="binary_crossentropy",
        has_accuracy=False,
    ),
    Training(
        "variational-autoencoder-fashion",
        FAMILY,
        lambda: as_reconstruction(_fashion(8000)),
        generators.variational_autoencoder(512, 16),
        (Fit(epochs=8),),
        batch_size=128,
        loss="binary_crossentropy",
        has_accuracy=False,
        jit_compile=True,
    ),
)

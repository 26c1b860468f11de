# SPDX-License-Identifier: Apache-2.0
"""SGD with momentum, from scratch and in fine-tuning."""

from __future__ import annotations

from functools import partial
from typing import Final

from keras.optimizers import SGD

from ..data import images
from ..networks import classifiers
from ..training import Fit, Training
from .fine_tuning import with_new_head

FAMILY: Final = "SGD with momentum"
TOP: Final = 1.0
"""The highest rate that is tried: SGD's are usually ten times Adam's."""

_MOMENTUM: Final = partial(SGD, momentum=0.9)
_NESTEROV: Final = partial(SGD, momentum=0.9, nesterov=True, weight_decay=5e-4)

TRAININGS: Final = (
    Training(
        "sgd-resnet-cifar",
        FAMILY,
        partial(images.image_data, "cifar10", 3000),
        classifiers.residual_cnn((64, 128)),
        (Fit(3, 0.1, _NESTEROV, top=TOP),),
    ),
    Training(
        "sgd-normalised-cnn-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 3000),
        classifiers.pooled_cnn((64, 128), normalised=True),
        (Fit(2, 0.1, _MOMENTUM, top=TOP),),
    ),
    Training(
        "sgd-cnn-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 4000),
        classifiers.strided_cnn((64, 128, 128), 128, dropout=0.0),
        (Fit(3, 0.01, _MOMENTUM, top=TOP),),
    ),
    Training(
        "sgd-perceptron-fashion",
        FAMILY,
        partial(images.image_data, "fashion_mnist", 10_000),
        classifiers.perceptron((512, 512)),
        (Fit(5, 0.01, _MOMENTUM, top=TOP),),
        batch_size=64,
        jit_compile=True,
    ),
    # As in PyTorch's tutorial on transfer learning.
    Training(
        "sgd-fine-tuning-resnet",
        FAMILY,
        partial(images.image_data, "cifar10", 1000, classes=images.LAST),
        with_new_head("resnet"),
        (Fit(4, 1e-3, _MOMENTUM, top=TOP),),
        backbone="resnet",
    ),
)

# SPDX-License-Identifier: Apache-2.0
"""Defines the trainings that methods are compared on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from agents.tasks.datasets import TABLE
from agents.tasks.objectives import Objective, find_objective

CNN5: Final = "cnn5-cifar10"
SMALLER_MINIBATCHES: Final = "cnn5-cifar10-batch32"
LONG: Final = "cnn5-cifar10-long"
LENGTHS: Final = (CNN5, SMALLER_MINIBATCHES, LONG)
"""One training, with as many updates as in the tables and with more."""

RESNETS: Final = "resnet18-cifar10-eighth"
HALF_RESNETS: Final = "resnet18-cifar10-half"

FAMILIES: Final = (
    "transformer-fashion",
    "lstm-fashion",
    "resnet9-fashion-small",
    "separable-fashion",
)
"""Tasks with kinds of networks that no policy was meta-trained on."""

WITHOUT_ACCURACY: Final = ("autoencoder-fashion", "language-fashion")
"""Tasks with a loss alone, which no policy was meta-trained on either."""

TABULAR: Final = "perceptron-table"
"""The task with tabular data; recipes train perceptrons on images only."""

MODEL_SELECTION_TASKS: Final = tuple(f"{task}-choices" for task in (CNN5, *FAMILIES))
"""The tasks for model selection; none of them opens a test set."""

NUM_VALIDATION_IMAGES: Final = 1000
"""Images held out for policies to observe, as many as `GANNO` measures by default."""

NUM_TUNING_IMAGES: Final = 4000
"""Further images held out for model selection, where they replace the test set."""

TEST_BATCH_SIZE: Final = 500

_TABLE: Final = f"fashion_mnist{TABLE}"

DATASET_SIZES: Final = {"cifar10": 50_000, "fashion_mnist": 60_000, _TABLE: 60_000}
"""Numbers of training images, before any are held out."""

_MADE_FOR: Final = {"autoencoder": "reconstruction", "language_model": "next_pixels"}
"""The objectives of networks that do not classify."""


@dataclass(frozen=True)
class Task:
    """A network, a data set and a length.

    Args:
        dataset: A name in agents/tasks/datasets.py.
        model: A name in agents/tasks/models.py.
        batch_size: The images in a minibatch.
        epochs: The passes over the training images that are not held out.
        model_options: Further arguments of the model's builder, such as its width.
        standardised: Whether each colour channel is shifted and scaled to mean 0 and
            deviation 1 over the training images; otherwise it lies in [0, 1].
        dtype_policy: Keras' precision policy.
        for_choices: Whether the task is for model selection. Then training images are
            scored, and the test set is not opened.
    """

    dataset: str
    model: str
    batch_size: int
    epochs: int
    model_options: Mapping[str, Any] = field(default_factory=dict)
    standardised: bool = False
    dtype_policy: str = "mixed_bfloat16"
    for_choices: bool = False

    @property
    def objective(self) -> Objective:
        """The objective that the network is made for."""
        return find_objective(_MADE_FOR.get(self.model, "classification"))

    @property
    def num_training_images(self) -> int:
        """The number of images that are not held out."""
        held_out = NUM_TUNING_IMAGES if self.for_choices else 0
        return DATASET_SIZES[self.dataset] - NUM_VALIDATION_IMAGES - held_out

    @property
    def num_planned_updates(self) -> int:
        """The number of updates on all training images."""
        return self.num_updates(self.num_training_images)

    @property
    def length_in_words(self) -> str:
        """Epochs, images, minibatches and updates as text."""
        epochs = "one epoch" if self.epochs == 1 else f"{self.epochs} epochs"
        return (
            f"{epochs} of {self.num_training_images:,} images in minibatches of "
            f"{self.batch_size} ({self.num_planned_updates:,} updates)"
        )

    def num_updates(self, num_images: int) -> int:
        """Returns the number of updates of all epochs, for a number of images."""
        return self.epochs * -(-num_images // self.batch_size)


_CNN5: Final = Task("cifar10", "five_layer_cnn", 128, epochs=8, standardised=True)


# As in the meta-trainings of the recipe `paper`.
_CNN2: Final = Task(
    *("fashion_mnist", "two_layer_cnn", 8, 1), standardised=True, dtype_policy="float32"
)


# The full width needs a GPU; two cores can train an eighth of it.
_RESNET9: Final = Task("fashion_mnist", "resnet9", 128, epochs=8, standardised=True)


_RESNET18: Final = Task("cifar10", "resnet18", 128, epochs=30, standardised=True)


_EIGHTH: Final = {"width": 8}


def _family(model: str, **options: int) -> Task:
    """Defines a task whose network no recipe in agents/recipes/ has, of 1,844 updates.

    It is small and short, as every method is tried from five rates with three seeds. A
    training takes less than a minute on one core.
    """
    return Task("fashion_mnist", model, 32, 1, options, True, "float32")


_FAMILIES: Final = {
    "transformer-fashion": _family("transformer", width=32, blocks=1, heads=2),
    "lstm-fashion": _family("lstm", units=32),
    "resnet9-fashion-small": _family("resnet9", width=4, shrink=2),
    "separable-fashion": _family("separable_cnn", filters=16),
}


_WITHOUT_ACCURACY: Final = {
    "autoencoder-fashion": Task(
        *("fashion_mnist", "autoencoder", 32, 1, {"units": 128, "code": 16}),
        dtype_policy="float32",
    ),
    "language-fashion": Task(
        *("fashion_mnist", "language_model", 32, 1),
        {"width": 32, "blocks": 1, "heads": 2},
        dtype_policy="float32",
    ),
}
"""As long as the families; policies are told that there is no accuracy."""


_TABULAR: Final = Task(
    *(_TABLE, "multilayer_perceptron", 32, 1), standardised=True, dtype_policy="float32"
)


def _for_model_selection(tasks: Mapping[str, Task]) -> dict[str, Task]:
    return {
        f"{name}-choices": dataclasses.replace(task, for_choices=True)
        for name, task in tasks.items()
    }


TASKS: Final[dict[str, Task]] = {
    "cnn5-cifar10": _CNN5,
    "cnn5-cifar10-float32": dataclasses.replace(_CNN5, dtype_policy="float32"),
    "cnn5-cifar10-unscaled": dataclasses.replace(_CNN5, standardised=False),
    # More updates, to measure their effect; a whole grid would take too long. The long
    # task is in float32, since bfloat16 is slow on CPUs without it.
    "cnn5-cifar10-long": dataclasses.replace(_CNN5, epochs=40, dtype_policy="float32"),
    "cnn5-cifar10-batch32": dataclasses.replace(_CNN5, batch_size=32),
    # The task of meta-training, and as many updates of it as in the paper's Figure 3.
    "cnn2-fashion": _CNN2,
    "cnn2-fashion-long": dataclasses.replace(_CNN2, epochs=4),
    "cnn2-embedded": Task(
        "embedded_fashion_mnist", "two_layer_cnn", 32, 13, dtype_policy="float32"
    ),
    "resnet9-fashion": _RESNET9,
    "resnet9-fashion-eighth": dataclasses.replace(
        _RESNET9, model_options=_EIGHTH, epochs=2, dtype_policy="float32"
    ),
    "resnet18-cifar10": _RESNET18,
    RESNETS: dataclasses.replace(_RESNET18, model_options=_EIGHTH, epochs=5),
    HALF_RESNETS: dataclasses.replace(_RESNET18, model_options={"width": 32}, epochs=2),
    **_FAMILIES,
    **_WITHOUT_ACCURACY,
    "perceptron-table": _TABULAR,
    **_for_model_selection({"cnn5-cifar10": _CNN5, **_FAMILIES}),
}


def find_task(name: str) -> Task:
    """Finds a task by name.

    Raises:
        ValueError: If there is no such task.
    """
    if name not in TASKS:
        raise ValueError(f"There is no task {name!r}; there are {sorted(TASKS)}.")
    return TASKS[name]

# SPDX-License-Identifier: Apache-2.0
"""Packs of tasks that are drawn together and trained side by side.

The tasks of a pack share what a graph is compiled for, and the length: the network, the
optimizer, the batch size and the updates. Everything else is drawn for each of them.

A few packs are special: LoRA trains them, or they end before they were planned to, or
their weights say the same with other sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np

from .configuration import TaskConfiguration
from .drawn_data import (
    FROM_SCRATCH,
    INPUT_NOISES,
    INPUT_SCALES,
    LABEL_NOISES,
    PRETRAINING_SHARES,
    PRETRAININGS,
    DataDraw,
)

Random = np.random.Generator
Options = dict[str, Any]


class PackNetwork(NamedTuple):
    """The network of a pack, and what it is fed.

    Args:
        model: By name; see models.py.
        options: Further arguments of its builder.
        side: Pixels on each side of an image, at least.
        lengths: The log-uniform range of the number of updates.
        cost: About how many multiplications a sample takes; weights, for most networks.
        objective: By name; see objectives.py.
        maps_lanes: Whether one call of the model can serve all tasks of a pack.
    """

    model: str
    options: Mapping[str, Any]
    side: int
    lengths: tuple[int, int]
    cost: float
    objective: str = "classification"
    maps_lanes: bool = True


def _perceptron(random: Random) -> PackNetwork:
    depth = int(random.choice([1, 2, 2, 3, 3, 4, 6, 8]))
    widths = (16, 32, 64, 128, 256, 512) if depth <= 3 else (8, 16, 32, 64, 128)
    normalisation = str(random.choice(["", "", "", "batch", "layer"]))
    hidden = (int(random.choice(widths)),) * depth
    objective = str(random.choice(["classification"] * 3 + ["completion"]))
    return PackNetwork(
        "multilayer_perceptron",
        {"hidden": hidden, "normalisation": normalisation},
        side=7,
        lengths=(100, 3000),
        cost=hidden[0] * (100 + (depth - 1) * hidden[0]),
        objective=objective,
    )


def _cnn(random: Random) -> PackNetwork:
    """A CNN of one to three convolutions; a small one, as lanes cannot be an axis."""
    model = str(random.choice(["two_layer_cnn", "five_layer_cnn", "normalised_cnn"]))
    options: Options = {"filters": int(random.choice([8, 16, 32]))}
    if model == "five_layer_cnn":
        options["units"] = int(random.choice([16, 32, 64]))
    cost = 500 * options["filters"] * (9 + options["filters"])
    return PackNetwork(model, options, 8, (100, 600), cost, maps_lanes=False)


def _mixing(random: Random) -> PackNetwork:
    """A network that mixes the rows of an image: by attention, or by dense layers."""
    model = str(random.choice(["transformer", "mixer"]))
    options: Options = {
        "width": int(random.choice([16, 32, 64, 128])),
        "blocks": int(random.choice([1, 2, 3])),
    }
    cost = 300 * options["blocks"] * options["width"] ** 2
    return PackNetwork(model, options, 7, (100, 1000), cost)


def _recurrent(random: Random) -> PackNetwork:
    options: Options = {"units": int(random.choice([16, 32, 64, 128]))}
    return PackNetwork("lstm", options, 7, (100, 1000), cost=50 * options["units"] ** 2)


def _language(random: Random) -> PackNetwork:
    options: Options = {"width": int(random.choice([16, 32, 64]))}
    cost = 1000 * options["width"] ** 2
    return PackNetwork(
        "language_model", options, 28, (100, 300), cost, objective="next_pixels"
    )


FAMILIES: Final[Mapping[str, tuple[float, Callable[[Random], PackNetwork]]]] = (
    MappingProxyType(
        {
            "perceptron": (0.5, _perceptron),
            "cnn": (0.2, _cnn),
            "mixing": (0.15, _mixing),
            "recurrent": (0.1, _recurrent),
            "language": (0.05, _language),
        }
    )
)
"""Kinds of networks: their share of the packs, and what draws one."""

OPTIMIZERS: Final[Mapping[str, tuple[float, Options]]] = MappingProxyType(
    {
        "adam": (0.5, {}),
        "sgd": (0.25, {"momentum": 0.9}),
        "lion": (0.125, {}),
        "rmsprop": (0.125, {}),
    }
)
"""Optimizers by name: their share of the packs, and their options."""

DATASETS: Final = ("fashion_mnist", "fashion_mnist", "cifar10")
BATCH_SIZES: Final = (8, 16, 32, 64, 128)
PRETRAINING_UPDATES: Final = (300, 1000, 3000)
UPDATES_OF_DECISION: Final = 100
"""The interval of a fit; the one of a pack is up to twice as long or half as long."""
DECISIONS: Final = (2, 20)
"""The least and most decisions of a pack."""
NUM_SAMPLES: Final = (60, 20_000)
"""The log-uniform range of the number of training samples."""
PACK_COST: Final = 1.6e11
"""What all tasks of a pack may cost: about a minute of a core, with all branches. See
`_cost_of_task`."""
FEWEST_TASKS: Final = 2
"""Tasks that a pack has to afford; it is drawn anew if it cannot."""
LOW_RANKS: Final = (4, 8)
"""Ranks of the factors that LoRA trains."""
WEIGHT_SCALES: Final = (0.25, 4.0)
"""What the weights of a first layer are multiplied by, and those of the second one
divided by, where they say the same with other sizes."""
SPECIAL_SHARE: Final = 0.05
"""Share of the packs that end early; of those that can have it, the share of LoRA and
of other sizes of the weights."""


@dataclass(frozen=True)
class TaskPack:
    """Tasks that are trained side by side, as they were drawn; in plain JSON types.

    Args:
        seed: Of the distribution.
        number: Of the pack, from 0; both together decide all the rest.
        dataset: A set of images, by name.
        model: By name; see models.py.
        model_options: Further arguments of its builder.
        objective: What it is trained to do, by name.
        optimizer: One of `OPTIMIZERS`.
        batch_size: Samples in a minibatch.
        interval: Updates between two decisions.
        decisions: How many there are; the training has one interval more.
        pretraining_updates: Of the tasks whose network has been trained before.
        maps_lanes: Whether one call of the model can serve all tasks.
        data: What was drawn about the samples of each task.
        unfinished: Decisions that were planned after the last one, and never come.
        low_rank: Rank of the factors that LoRA trains; 0 for all weights.
        weight_scale: What the weights of the first layer are multiplied by; the second
            layer makes up for it.
    """

    seed: int
    number: int
    dataset: str
    model: str
    model_options: Mapping[str, Any]
    objective: str
    optimizer: str
    batch_size: int
    interval: int
    decisions: int
    pretraining_updates: int
    maps_lanes: bool
    data: tuple[DataDraw, ...]
    unfinished: int = 0
    low_rank: int = 0
    weight_scale: float = 1.0

    @property
    def num_updates(self) -> int:
        """Updates of each training."""
        return (self.decisions + 1) * self.interval

    @property
    def planned_decisions(self) -> int:
        """Decisions that there would be if it did not end early."""
        return self.decisions + self.unfinished

    @property
    def record(self) -> dict[str, Any]:
        """What a run keeps of the pack, in plain JSON types."""
        return asdict(self)

    @property
    def configuration(self) -> TaskConfiguration:
        """The tasks as the environment knows them; `data` says what samples are."""
        return TaskConfiguration(
            dataset=self.dataset,
            model=self.model,
            model_options=dict(self.model_options),
            objective=self.objective,
            optimizer=self.optimizer,
            optimizer_options=dict(OPTIMIZERS[self.optimizer][1]),
            batch_size=self.batch_size,
            timesteps=self.planned_decisions,
        )


def draw_pack(
    seed: int, number: int, num_tasks: int, datasets: Sequence[str] = DATASETS
) -> TaskPack:
    """Draws a pack, the same one for the same seed and number.

    Args:
        seed: Of the distribution.
        number: Of the pack, from 0.
        num_tasks: How many tasks it has at most; one of large networks has fewer, but
            `FEWEST_TASKS` at least. The first ones are the same for any number.
        datasets: Sets of square images with ten classes to choose one from, by name.

    Raises:
        ValueError: If there are no tasks.

    Example:

        >>> pack = draw_pack(seed=0, number=3, num_tasks=2)
        >>> pack.data == draw_pack(seed=0, number=3, num_tasks=3).data[:2]
        True
    """
    if num_tasks < 1:
        raise ValueError(f"num_tasks is {num_tasks}; a pack needs at least one task.")
    random = np.random.default_rng([seed, number])
    shares = [share for share, _ in FAMILIES.values()]
    family = str(random.choice(list(FAMILIES), p=shares))
    network, common, affordable = _draw_affordable(random, family)
    dataset = str(random.choice(list(datasets)))
    special = _draw_special(np.random.default_rng([seed, number, 0, 1]), network)
    if "unfinished" in special:
        special["unfinished"] = common["decisions"] // 2
        common["decisions"] -= special["unfinished"]
    return TaskPack(
        seed=seed,
        number=number,
        dataset=dataset,
        model=network.model,
        model_options=dict(network.options),
        objective=network.objective,
        maps_lanes=network.maps_lanes,
        data=tuple(
            _draw_data((seed, number, task), dataset, network, "low_rank" in special)
            for task in range(min(num_tasks, affordable))
        ),
        **common,
        **special,
    )


def _draw_affordable(random: Random, family: str) -> tuple[PackNetwork, Options, int]:
    """Draws a network, what tasks have in common, and how many can be afforded.

    A large network is rather trained for a shorter time than drawn anew.
    """
    while True:
        network = FAMILIES[family][1](random)
        for _ in range(_TRIES):
            common = _draw_common(random, network)
            affordable = int(PACK_COST / _cost_of_task(network, common))
            if affordable >= FEWEST_TASKS:
                return network, common, affordable


_TRIES: Final = 20


def _cost_of_task(network: PackNetwork, common: Options) -> float:
    """Estimates what a task takes, in multiplications; 3 of them in a nanosecond.

    An optimizer touches each weight about as often as `_SAMPLES_OF_OPTIMIZER` samples.
    """
    updates = common["interval"] * (common["decisions"] + 1)
    of_update = network.cost * (common["batch_size"] + _SAMPLES_OF_OPTIMIZER)
    if not network.maps_lanes:
        of_update += _COST_OF_CALL
    return float(of_update * (_BRANCHES * updates + common["pretraining_updates"]))


_SAMPLES_OF_OPTIMIZER: Final = 32
_COST_OF_CALL: Final = 5e6
_BRANCHES: Final = 15
"""Whole trainings that a task comes to: all actions, at two moments."""


def _draw_special(random: Random, network: PackNetwork) -> Options:
    """Draws what few packs have; at most one of it."""
    is_dense = network.model == "multilayer_perceptron"
    can_be_adapted = is_dense or network.model in ("transformer", "mixer")
    is_classifier = network.objective == "classification"
    kind = random.random() / SPECIAL_SHARE
    if kind < 1:
        return {"unfinished": 1}
    if kind < 2 and can_be_adapted and is_classifier:
        return {"low_rank": int(random.choice(LOW_RANKS))}
    if kind < 3 and is_dense and len(network.options["hidden"]) > 1:
        return {"weight_scale": float(random.choice(WEIGHT_SCALES))}
    return {}


def _draw_common(random: Random, network: PackNetwork) -> Options:
    """Draws what all tasks of a pack have in common beside the network."""
    optimizer_shares = [share for share, _ in OPTIMIZERS.values()]
    updates = _log_uniform(random, network.lengths)
    wanted = updates / UPDATES_OF_DECISION * 2 ** random.uniform(-1, 1)
    decisions = int(np.clip(round(wanted), *DECISIONS))
    sizes = BATCH_SIZES[: 5 if network.maps_lanes else 3]
    return {
        "optimizer": str(random.choice(list(OPTIMIZERS), p=optimizer_shares)),
        "batch_size": int(random.choice(sizes)),
        "interval": max(round(updates / (decisions + 1)), 1),
        "decisions": decisions,
        "pretraining_updates": int(random.choice(PRETRAINING_UPDATES)),
    }


def _draw_data(
    seeds: tuple[int, ...], dataset: str, network: PackNetwork, is_adapted: bool
) -> DataDraw:
    random = np.random.default_rng([*seeds])
    # Tokens are greys of clean images, and wrong labels are nothing to a network that
    # does not classify.
    is_of_tokens = network.objective == "next_pixels"
    has_classes = network.objective == "classification"
    label_noise = float(random.choice(LABEL_NOISES))
    scale, noise = (
        float(random.choice(INPUT_SCALES)),
        float(random.choice(INPUT_NOISES)),
    )
    shares = (0.0, 0.5, 0.5) if is_adapted else PRETRAINING_SHARES
    pretraining = str(random.choice(PRETRAININGS, p=shares))
    return DataDraw(
        seeds=seeds,
        dataset=dataset,
        shrink=_shrink(dataset, network.side),
        num_samples=_log_uniform(random, NUM_SAMPLES),
        label_noise=label_noise if has_classes else 0.0,
        input_scale=1.0 if is_of_tokens else scale,
        input_noise=0.0 if is_of_tokens else noise,
        pretraining=pretraining if has_classes else FROM_SCRATCH,
        objective=network.objective,
    )


def _shrink(dataset: str, side: int) -> int:
    """Returns the squares that leave at least so many of them on each side."""
    pixels = _SIDES.get(dataset, 28)
    return max(it for it in (1, 2, 4) if pixels // it >= side)


_SIDES: Final = {"cifar10": 32}


def _log_uniform(random: Random, limits: tuple[int, int]) -> int:
    return round(float(np.exp(random.uniform(*np.log(limits)))))

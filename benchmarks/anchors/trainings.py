# SPDX-License-Identifier: Apache-2.0
"""Carries out the trainings of one cell, compiled once, each from the same start."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple

import keras
import numpy as np
from keras import ops

from agents.tasks.datasets import load_dataset, standardise
from agents.tasks.models import build_model
from agents.tasks.objectives import Objective, find_objective
from agents.tasks.samples import Samples
from ganno_keras.control.anchor.anchors import (
    AbsoluteSchedule,
    Anchor,
    RelativeUpdate,
    Schedule,
)
from ganno_keras.control.anchor.network_traits import network_traits
from ganno_keras.control.anchor.optimizer_traits import (
    OptimizerTraits,
    optimizer_traits,
)
from ganno_keras.control.anchor.relative_rate import RelativeRateFormula
from ganno_keras.control.anchor.total_shrink import TotalShrink
from ganno_keras.control.anchor.training_facts import (
    PlannedLength,
    TrainingFacts,
    training_facts,
)
from ganno_keras.control.anchor.update_ratios import RenewalRules, UpdateRatios
from ganno_keras.control.anchor.weight_groups import WeightGroup, weight_groups
from ganno_keras.control.base_schedule import BaseSchedule
from ganno_keras.control.layer_groups import layer_groups
from ganno_keras.optimizers.layerwise_optimizer import LayerwiseOptimizer

from .cells import VARIANT_OCTAVES, Cell, Network
from .fast_loop import Course, Decaying, FastLoop

NUM_HELD_OUT: Final = 2000
SEED: Final = 0
SHAPE: Final = BaseSchedule(1.0, 0.2)
"""The schedule of all trainings of E1 and E2."""
FIRST_FORMULA: Final = RelativeRateFormula(
    constant=-2.9,
    persistence=0.0,
    depth=0.0,
    targets=0.0,
    kinds={},
    updates_by_kind={},
    width_by_kind={},
)
"""As fitted to other trainings, before the first experiment."""
EARLIER_FORMULA: Final = RelativeRateFormula(channels=-0.4, bounded=0.0)
"""That of the package before `long_shapes` was carried out."""

SLOW_COMPILED: Final = ("convolution", "text")
"""Families that XLA makes slower on CPUs."""

LIFTED: Final = "lifted-embeddings"
UNBOUNDED_RULES: Final = RenewalRules(largest_growth=math.inf)
"""Those of before weights were kept from growing with their rates; see growth.py."""
_BEFORE: Final = replace(UNBOUNDED_RULES, lifts_embeddings=False)
RULES: Final = {
    "": _BEFORE,
    "gains-own-ratio": replace(_BEFORE, ties_vectors=False),
    "no-floor": replace(_BEFORE, takes_floor=False),
    LIFTED: UNBOUNDED_RULES,
}
"""By variant; all but one are those of before fresh embeddings were lifted."""

Makes = Callable[[], keras.optimizers.Optimizer]
OPTIMIZERS: Final[dict[str, Makes]] = {
    "adam": lambda: keras.optimizers.Adam(),
    "adamw": lambda: keras.optimizers.AdamW(),
    "sgd": lambda: keras.optimizers.SGD(momentum=0.9),
    "sgdw": lambda: keras.optimizers.SGD(momentum=0.9, weight_decay=5e-4),
    "lion": lambda: keras.optimizers.Lion(),
    "rmsprop": lambda: keras.optimizers.RMSprop(),
    "plain-sgd": lambda: keras.optimizers.SGD(),
}


class Outcome(NamedTuple):
    """What came of a training, on samples that it was not trained on."""

    loss: float
    accuracy: float
    course: Course
    seconds: float


class Data(NamedTuple):
    """The samples of a cell."""

    train: Samples
    held_out: Samples
    objective: Objective


@lru_cache(maxsize=2)
def _images(dataset: str, is_standardised: bool) -> Samples:
    train, _ = load_dataset(dataset)
    return standardise(train)[0] if is_standardised else train


def load_data(cell: Cell, num_held_out: int = NUM_HELD_OUT) -> Data:
    """The training and held-out samples of a cell; the test set is not opened."""
    network = cell.network
    is_tokens = network.model in ("causal_cnn", "language_model")
    objective = find_objective("next_pixels" if is_tokens else "classification")
    images = _images(network.dataset, not is_tokens)
    held_out = min(num_held_out, len(images.targets) - network.num_samples)
    parts = (slice(0, network.num_samples), slice(len(images.targets) - held_out, None))
    train, rest = (
        objective.samples(Samples(images.inputs[it], images.targets[it]))
        for it in parts
    )
    return Data(train, rest, objective)


class CellTrainings:
    """One compiled model, trained again and again with other rates.

    Args:
        cell: What is trained.
        model: Built; its weights of the moment are the start of each training.
        data: What it is trained on.
        rules: By which ratios are kept; None for those of the cell's variant.
        is_pretrained: Whether each layer was trained before; none was by default.
    """

    def __init__(
        self,
        cell: Cell,
        model: keras.Model,
        data: Data,
        rules: RenewalRules | None = None,
        is_pretrained: Sequence[bool] | None = None,
    ) -> None:
        self._cell, self._data = cell, data
        self._is_pretrained = is_pretrained
        self._rules = rules or RULES.get(cell.variant, _BEFORE)
        compiles = cell.network.family not in SLOW_COMPILED
        model.compile(
            OPTIMIZERS[cell.optimizer](),
            data.objective.loss(),
            metrics=data.objective.metrics,
        )
        model.optimizer.build(model.trainable_variables)
        self.groups = layer_groups(model)
        self._traits = network_traits(model, data.objective.loss())
        self._layerwise = LayerwiseOptimizer(model.optimizer, self.groups, model=model)
        self._start = [
            (it, ops.convert_to_numpy(it).copy())
            for it in (*model.variables, *model.optimizer.variables)
        ]
        self._loop = FastLoop(
            model, self._layerwise, data.train, _order(data.train, cell), compiles
        )

    @property
    def weight_groups(self) -> tuple[WeightGroup, ...]:
        """What the anchor knows of the layers."""
        return weight_groups(self.groups)

    def _ratios(self) -> UpdateRatios:
        return UpdateRatios(
            self.weight_groups,
            self._rules,
            self._optimizer_traits,
            self._traits.bears_growth,
        )

    @property
    def _optimizer_traits(self) -> OptimizerTraits:
        return optimizer_traits(self._layerwise.inner_optimizer)

    @property
    def facts(self) -> TrainingFacts:
        """What the formula knows of the training."""
        cell = self._cell
        length = PlannedLength(cell.length, cell.epochs, cell.batch_size)
        groups, optimizer = self.weight_groups, self._optimizer_traits
        return training_facts(length, groups, self._traits, optimizer)

    def relative(self, peaks: Any) -> Outcome:
        """Trains with shares of the weights."""
        octaves = VARIANT_OCTAVES.get(self._cell.variant, {})
        kinds = [octaves.get(group.kind, 0.0) for group in self.groups]
        peaks = np.multiply(peaks, np.exp2(kinds))
        ratios = self._ratios()
        return self.along(RelativeUpdate(peaks, SHAPE, ratios, highest=1.0))

    def by_formula(
        self,
        formula: RelativeRateFormula,
        schedule: Schedule,
        octaves: float,
        shrink: TotalShrink | None = None,
    ) -> Outcome:
        """Trains at the rates of a formula, shifted, along a schedule.

        Args:
            formula: That names the peaks.
            schedule: With a peak of 1.
            octaves: That are added to the peaks' logarithms.
            shrink: For optimizers with a weight decay, which takes its place.
        """
        kinds = [group.kind for group in self.groups]
        is_pretrained = self._is_pretrained or [False] * len(kinds)
        are_low_rank = [group.is_low_rank for group in self.weight_groups]
        rates = formula.rates(self.facts, kinds, is_pretrained, are_low_rank)
        peaks = rates * 2.0**octaves
        anchor = RelativeUpdate(peaks, schedule, self._ratios(), highest=1.0)
        return self.along(anchor, Decaying(shrink, schedule) if shrink else None)

    def absolute(self, peak: float) -> Outcome:
        """Trains with the same rates for all layers."""
        schedule = BaseSchedule(peak, SHAPE.warm_up, SHAPE.start)
        return self.along(AbsoluteSchedule(schedule, len(self.groups)))

    def along(self, anchor: Anchor, decaying: Decaying | None = None) -> Outcome:
        """Trains at the rates of an anchor, from the same start each time."""
        started = time.perf_counter()
        for variable, value in self._start:
            variable.assign(value)
        course = self._loop.train(anchor, decaying=decaying)
        loss, accuracy = self._loop.evaluate(self._data.held_out)
        return Outcome(loss, accuracy, course, time.perf_counter() - started)

    def untrained(self) -> tuple[float, float]:
        """Loss and accuracy of the weights that each training starts from."""
        for variable, value in self._start:
            variable.assign(value)
        return self._loop.evaluate(self._data.held_out)


@contextmanager
def trainings_of(
    cell: Cell,
    num_held_out: int = NUM_HELD_OUT,
    rules: RenewalRules | None = None,
) -> Iterator[CellTrainings]:
    """Makes the model of a cell, and forgets it in the end."""
    data = load_data(cell, num_held_out)
    try:
        yield CellTrainings(cell, new_model(cell.network, data.train), data, rules)
    finally:
        keras.utils.clear_session()


def new_model(network: Network, train: Samples) -> keras.Model:
    """Builds a network for samples, with the initial weights of every cell."""
    keras.utils.set_random_seed(SEED)
    shapes = (train.input_shape, train.num_outputs)
    return build_model(network.model, *shapes, network.options)


def formula_rate(trainings: CellTrainings) -> float:
    """The relative rate that the first formula names for a fresh layer."""
    return float(2.0 ** FIRST_FORMULA.log2_rate(trainings.facts))


def _order(train: Samples, cell: Cell) -> np.ndarray:
    """The minibatches of a training, the same in every training of a cell."""
    generator = np.random.default_rng(SEED)
    count = len(train.targets)
    needed = cell.length * cell.batch_size
    passes = [generator.permutation(count) for _ in range(-(-needed // count))]
    return np.concatenate(passes)[:needed].reshape(cell.length, cell.batch_size)

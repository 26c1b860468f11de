# SPDX-License-Identifier: Apache-2.0
"""Scripted policies, tiny models and tiny data for tests that run real fits."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from ganno_keras.layer_groups import LayerGroup
from ganno_keras.layer_statistics import LayerStatistics
from ganno_keras.policies import Decision, PolicyMetadata, ScriptedPolicy

NUM_FEATURES = 6
NUM_CLASSES = 3

RAISE = 2  # times 1.1
LOWER = 4  # divided by 1.1
ADD = 7  # plus 0.001
SUBTRACT = 8  # minus 0.001


def always(action: int, interval: int = 100) -> ScriptedPolicy:
    """Every agent does the same at each decision."""

    def script(_: int, observation: np.ndarray, __: Any) -> np.ndarray:
        return np.full(len(observation), action)

    return ScriptedPolicy(f"always-{action}", script, interval=interval)


def by_timestep(*actions: int, **options: Any) -> ScriptedPolicy:
    """The actions one after the other, then from the beginning again."""

    def script(timestep: int, observation: np.ndarray, _: Any) -> np.ndarray:
        return np.full(len(observation), actions[timestep % len(actions)])

    return ScriptedPolicy("by-timestep", script, **options)


def from_observation() -> ScriptedPolicy:
    """Actions that depend on every number of the observation."""

    def script(_: int, observation: np.ndarray, __: Any) -> np.ndarray:
        return (np.abs(observation).sum(axis=1) * 1000).astype(np.int64) % 9

    return ScriptedPolicy("from-observation", script)


class RecurrentPolicy:
    """Remembers a running sum of its observations and acts on that."""

    def __init__(self) -> None:
        self.metadata: PolicyMetadata = always(0).metadata

    def initial_state(self, num_agents: int) -> dict[str, np.ndarray]:
        return {"sum": np.zeros(num_agents, np.float64)}

    def act(
        self,
        observation: np.ndarray,
        state: Any,
        seed: tuple[int, int],
        temperature: float,
    ) -> Decision:
        del temperature
        total = 0.5 * state["sum"] + observation.sum(axis=1, dtype=np.float64)
        return Decision((total * 1000 + seed[1]).astype(np.int64) % 9, {"sum": total})


class MaskedPolicy:
    """A policy that does nothing and may not see some entries."""

    def __init__(self, *masked: str) -> None:
        policy = always(0)
        spec = dataclasses.replace(
            policy.metadata.observation_spec, masked=frozenset(masked)
        )
        self.metadata = dataclasses.replace(policy.metadata, observation_spec=spec)
        self.initial_state = policy.initial_state
        self.act = policy.act


def with_single_agent(policy: ScriptedPolicy) -> ScriptedPolicy:
    """The same policy, for all layers together."""
    single = copy.copy(policy)
    single._metadata = dataclasses.replace(policy.metadata, single_agent=True)
    return single


def tiny_data(num_samples: int = 96) -> tuple[np.ndarray, np.ndarray]:
    """float32 `[num_samples, 6]` and labels below 3 that they determine."""
    generator = np.random.default_rng(3)
    x = generator.normal(size=(num_samples, NUM_FEATURES)).astype("float32")
    return x, (x[:, :NUM_CLASSES].argmax(axis=1)).astype("int32")


def plain_layers() -> list[keras.Layer]:
    """Two dense layers: quick to trace."""
    return [
        keras.layers.Dense(5, activation="relu", name="hidden"),
        keras.layers.Dense(NUM_CLASSES, activation="softmax", name="classifier"),
    ]


def rich_layers() -> list[keras.Layer]:
    """Two dense layers with all that is hard to repeat between them."""
    hidden, classifier = plain_layers()
    normalization = keras.layers.BatchNormalization(name="normalization")
    return [hidden, normalization, keras.layers.Dropout(0.2, name="drop"), classifier]


def embedding_layers() -> list[keras.Layer]:
    """An embedding of what the inputs round to, for a sparse gradient."""
    return [
        keras.layers.Rescaling(1.5, offset=4.0),
        keras.layers.Embedding(12, 3),
        keras.layers.Flatten(),
        keras.layers.Dense(3, activation="softmax"),
    ]


def tiny_model(
    optimizer: Any = None,
    *,
    layers: Callable[[], list[keras.Layer]] = plain_layers,
    built: bool = True,
    seed: int = 1,
    **compile_arguments: Any,
) -> keras.Model:
    """A compiled classifier; the same weights for the same seed."""
    keras.utils.set_random_seed(seed)
    inputs = [keras.Input((NUM_FEATURES,))] if built else []
    model = keras.Sequential([*inputs, *layers()], name="tiny")
    defaults = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}
    model.compile(
        optimizer or keras.optimizers.SGD(0.001), **{**defaults, **compile_arguments}
    )
    return model


def state_of(model: keras.Model) -> list[np.ndarray]:
    """All numbers that a training consists of."""
    variables = [*model.variables, *model.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assert_same_state(first: keras.Model, second: keras.Model) -> None:
    """Asserts that two trainings are equal bit by bit."""
    for one, other in zip(state_of(first), state_of(second), strict=True):
        np.testing.assert_array_equal(one, other)


def groups_of(*kinds: str) -> tuple[LayerGroup, ...]:
    """Layer groups without variables."""
    return tuple(
        LayerGroup(f"layer_{index}", kind, "intermediate", ())
        for index, kind in enumerate(kinds)
    )


def statistics_of(num_groups: int, value: float = 1.0) -> LayerStatistics:
    """The same value for all statistics of all groups."""
    names = [entry.name for entry in dataclasses.fields(LayerStatistics)]
    return LayerStatistics(**{name: np.full(num_groups, value) for name in names})

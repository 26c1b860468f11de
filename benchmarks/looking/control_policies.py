# SPDX-License-Identifier: Apache-2.0
"""Policies that look at nothing: what a policy that looks has to be better than.

- `NAME-replayed` takes, at each moment of a training, the mean factor that the policy
  took there on the tasks of the packs. It sees how far the training is, and no more.
- `NAME-untrained` is an actor of the same sizes with its first weights.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from agents.expert_training.configuration import RELATIVE
from agents.expert_training.pack_files import PlayedPack
from agents.learning.exported_policy import ExportedPolicy
from agents.learning.ppo_agent import new_agent
from ganno_keras.control.action_sets import get_action_set
from ganno_keras.policies.policy import Policy
from ganno_keras.policies.saved_policy import SavedPolicy, save_policy

from .replaying import replayed

_NUM_BINS: Final = 10
_UNLIKELY: Final = -100.0  # the logit of an action that is not taken


class ReplayedPolicy(tf.Module):
    """Acts by the progress of a training alone, the same for all layers.

    Args:
        actions: The action in each of equal parts of a training, int `[num_parts]`.
        num_actions: How many actions there are.
        num_features: Length of an observation.
        progress: The place of the progress in it.
    """

    def __init__(
        self, actions: np.ndarray, num_actions: int, num_features: int, progress: int
    ) -> None:
        super().__init__()
        self._actions = tf.constant(actions, tf.int32)
        self._num_actions = num_actions
        self._progress = progress
        seen = tf.TensorSpec([None, num_features], tf.float32)
        state = {"state_0": tf.TensorSpec([None, 1], tf.float32)}
        seed, temperature = tf.TensorSpec([2], tf.int32), tf.TensorSpec([], tf.float32)
        self.initial_state = tf.function(
            self._initial_state, input_signature=[tf.TensorSpec([], tf.int32)]
        )
        self.action = tf.function(
            self._action, input_signature=[seen, state, seed, temperature]
        )

    def _initial_state(self, num_agents: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"state_0": tf.zeros([num_agents, 1])}

    def _action(
        self,
        observation: tf.Tensor,
        state: dict[str, tf.Tensor],
        seed: tf.Tensor,
        temperature: tf.Tensor,
    ) -> dict[str, Any]:
        del seed, temperature  # there is nothing to sample
        num_parts = len(self._actions)
        part = tf.cast(observation[:, self._progress] * num_parts, tf.int32)
        chosen = tf.gather(self._actions, tf.clip_by_value(part, 0, num_parts - 1))
        logits = tf.one_hot(chosen, self._num_actions, 0.0, _UNLIKELY)
        return {"action": chosen, "logits": logits, "state": state}


def mean_factors(policy: Policy, packs: Sequence[PlayedPack]) -> np.ndarray:
    """Returns the mean log2 factor of a policy in each part of a training.

    Args:
        policy: Its likeliest actions are taken.
        packs: Whose main lines it sees. Each pack counts alike.
    """
    place = policy.metadata.observation_spec.place("progress").start
    octaves, progress = (
        np.concatenate(values)
        for values in zip(
            *(
                (
                    replayed(policy, pack).mean(axis=(1, 2)),
                    pack.branches.observations[:, 0, 0, place],
                )
                for pack in packs
            ),
            strict=True,
        )
    )
    parts = np.minimum((progress * _NUM_BINS).astype(int), _NUM_BINS - 1)
    known = np.unique(parts)
    means = [octaves[parts == part].mean() for part in known]
    return np.interp(np.arange(_NUM_BINS), known, means)


def export_controls(policy: Path, packs: Sequence[PlayedPack]) -> list[str]:
    """Saves both controls of a policy beside it; returns its factors, as text.

    Args:
        policy: Folder of the policy.
        packs: That it was trained on.

    Raises:
        ValueError: If one of them exists.
    """
    saved = SavedPolicy(policy)
    spec = RELATIVE.environment.observation_spec
    factors = mean_factors(saved, packs)
    nearest = np.abs(np.log2(_factors()) - factors[:, np.newaxis]).argmin(axis=1)
    agent = new_agent(RELATIVE.environment, RELATIVE.ppo, RELATIVE.seed)
    controls = {
        "replayed": ReplayedPolicy(
            nearest,
            len(_factors()),
            spec.num_features,
            spec.place("progress").start,
        ),
        "untrained": ExportedPolicy(agent, spec.num_features),
    }
    for kind, module in controls.items():
        name = f"{policy.name}-{kind}"
        save_policy(
            module,
            dataclasses.replace(saved.metadata, name=name),
            policy.with_name(name),
        )
    shown = " ".join(f"{it:.2f}" for it in 2.0**factors)
    return [f"mean factors in each tenth of a training: {shown}"]


def _factors() -> np.ndarray:
    actions = get_action_set(RELATIVE.environment.action_set)
    return np.asarray(actions.factors(np.arange(actions.num_actions)))

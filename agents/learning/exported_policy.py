# SPDX-License-Identifier: Apache-2.0
"""Turns a TF-Agents policy into a module that needs nothing but TensorFlow."""

from __future__ import annotations

import tensorflow as tf
from tf_agents.agents.ppo import ppo_clip_agent
from tf_agents.policies import actor_policy
from tf_agents.trajectories import time_step as ts

State = dict[str, tf.Tensor]

COLDEST = 1e-6
"""The lowest temperature that logits are divided by."""


class ExportedPolicy(tf.Module):
    """The actor and its observation normaliser as a plain module.

    It has the interface of docs/policies.md: `initial_state(num_agents)` and
    `action(observation, state, seed, temperature)`, for any number of layer agents.

    Args:
        agent: The PPO agent, whose variables are captured, not copied.
        num_features: Length of the observation of one layer's agent.
    """

    def __init__(self, agent: ppo_clip_agent.PPOClipAgent, num_features: int) -> None:
        super().__init__()
        policy = agent.policy
        specs = tf.nest.flatten(policy.policy_state_spec)
        # Only plain variables are tracked: layers would need tf_keras to load. The
        # policy's own list would include the critic, which acting does not need.
        normalizer = policy.observation_normalizer
        self.weights = [
            *agent.actor_net.variables,
            *(tf.nest.flatten(normalizer.variables) if normalizer else []),
        ]
        self.initial_state = _initial_state(specs)
        self.action = _action(policy, num_features, specs)


def _initial_state(specs: list[tf.TensorSpec]) -> tf.types.experimental.GenericFunction:
    @tf.function(input_signature=[tf.TensorSpec([], tf.int32)])
    def initial_state(num_agents: tf.Tensor) -> State:
        return {
            f"state_{number}": tf.zeros(
                tf.concat([[num_agents], spec.shape], axis=0), spec.dtype
            )
            for number, spec in enumerate(specs)
        }

    return initial_state


def _action(
    policy: actor_policy.ActorPolicy, num_features: int, specs: list[tf.TensorSpec]
) -> tf.types.experimental.GenericFunction:
    state_signature = {
        f"state_{number}": tf.TensorSpec([None, *spec.shape], spec.dtype)
        for number, spec in enumerate(specs)
    }

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, num_features], tf.float32),
            state_signature,
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([], tf.float32),
        ]
    )
    def action(
        observation: tf.Tensor, state: State, seed: tf.Tensor, temperature: tf.Tensor
    ) -> dict[str, tf.Tensor | State]:
        flat = [state[f"state_{number}"] for number in range(len(specs))]
        packed = tf.nest.pack_sequence_as(policy.policy_state_spec, flat)
        step = policy.distribution(_time_step(_widen(observation, policy)), packed)
        logits = step.action.logits_parameter()
        return {
            "action": _choose(logits, seed, temperature),
            "logits": logits,
            "state": {
                f"state_{number}": value
                for number, value in enumerate(tf.nest.flatten(step.state))
            },
        }

    return action


def _widen(observation: tf.Tensor, policy: actor_policy.ActorPolicy) -> tf.Tensor:
    """Pads the observation to the view of a centralised critic, if there is one."""
    missing = policy.time_step_spec.observation.shape[0] - observation.shape[1]
    return tf.pad(observation, [[0, 0], [0, missing]]) if missing else observation


def _time_step(observation: tf.Tensor) -> ts.TimeStep:
    """Makes a time step in mid-episode: only the initial state marks the start."""
    num_agents = tf.shape(observation)[0]
    return ts.TimeStep(
        step_type=tf.fill([num_agents], ts.StepType.MID),
        reward=tf.zeros([num_agents]),
        discount=tf.ones([num_agents]),
        observation=observation,
    )


def _choose(logits: tf.Tensor, seed: tf.Tensor, temperature: tf.Tensor) -> tf.Tensor:
    scaled = logits / tf.maximum(temperature, COLDEST)
    sampled = tf.random.stateless_categorical(scaled, 1, seed, tf.int32)[:, 0]
    greedy = tf.argmax(logits, axis=-1, output_type=tf.int32)
    return tf.where(temperature > 0.0, sampled, greedy)

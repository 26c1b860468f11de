# SPDX-License-Identifier: Apache-2.0
"""Policies: what chooses the actions of the agents."""

from ganno_keras.policies.metadata import PolicyMetadata
from ganno_keras.policies.policy import Decision, Policy, PolicyState
from ganno_keras.policies.registry import DEFAULT_POLICY, list_policies, load_policy
from ganno_keras.policies.scripted import ScriptedPolicy

__all__ = [
    "DEFAULT_POLICY",
    "Decision",
    "Policy",
    "PolicyMetadata",
    "PolicyState",
    "ScriptedPolicy",
    "list_policies",
    "load_policy",
]

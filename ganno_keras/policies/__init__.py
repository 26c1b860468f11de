# SPDX-License-Identifier: Apache-2.0
"""What chooses the actions, from code, from a folder or from a hub."""

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

# SPDX-License-Identifier: Apache-2.0
"""Finds methods by their names in tables and results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .constant_actions import CONSTANT_ACTIONS
from .hand_made import HAND_MADE
from .learned.celo_adam import CELO_ADAM
from .learned.velo import VELO
from .method import Method
from .policies import policy_method

METHODS: Final[Mapping[str, Method]] = {
    **HAND_MADE,
    **CONSTANT_ACTIONS,
    "celo-adam": CELO_ADAM,
    "velo": VELO,
}
"""All methods except policies, which are found by their files."""


def find_method(name: str) -> Method:
    """Finds a method.

    Args:
        name: One of `METHODS`, a policy's name, the path of its folder, or a control
            such as `"ganno-first, greedy"`.
    """
    return METHODS.get(name) or policy_method(name)

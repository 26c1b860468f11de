# SPDX-License-Identifier: Apache-2.0
"""Finds a method by the name that it has in tables and results."""

from __future__ import annotations

from .celo_adam import CELO_ADAM
from .methods import METHODS, Method
from .policy_methods import policy_method

METHODS["celo-adam"] = CELO_ADAM


def find_method(name: str) -> Method:
    """Finds a method.

    Args:
        name: One of `METHODS`; or a policy's name, or the path of its folder; or a
            control of one, such as `"ganno-first, greedy"`.
    """
    return METHODS.get(name) or policy_method(name)

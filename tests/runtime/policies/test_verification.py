# SPDX-License-Identifier: Apache-2.0
"""Verifying a policy finds what is wrong with what it does."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ganno_keras.policies import Decision, load_policy, verification
from ganno_keras.policies.registry import policies_directory
from ganno_keras.policies.verification import NUMBERS_OF_AGENTS, verify_policy

SHIPPED = str(policies_directory() / "ganno-first")


class Answering:
    """A policy whose actions are a function of the number of layers."""

    def __init__(self, answer):
        self.answer = answer
        self.metadata = load_policy("no-op").metadata

    def initial_state(self, num_agents):
        return {}

    def act(self, observation, state, seed, temperature):
        return Decision(self.answer(len(observation)), state)


def raise_key_error(_):
    raise KeyError("logits")


COUNTER = itertools.count()
WRONG = {
    "one action too few": (lambda n: np.zeros(n - 1, int), "acts", "one action from 0"),
    "an unknown action": (lambda n: np.full(n, 9), "acts", "from 0 to 8"),
    "an error": (raise_key_error, "acts", "KeyError: 'logits'"),
    "by place": (lambda n: np.arange(n) % 9, "treats", "depend on that layer alone"),
    "by call": (
        # The same again in the checks before the last.
        lambda n: np.full(n, max(0, next(COUNTER) - len(NUMBERS_OF_AGENTS) - 2) % 9),
        "repeats",
        "could not be repeated",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_verify_policy__finds_wrong_actions(monkeypatch, name):
    answer, check, failure = WRONG[name]
    monkeypatch.setattr(verification, "load_policy", lambda _: Answering(answer))
    last = verify_policy(SHIPPED)[-1]
    assert last.name.startswith(check)
    assert failure in (last.failure or "")


def test_verify_policy__finds_that_there_is_none():
    (check,) = verify_policy("nope")
    assert check.name == "is there"
    assert "no policy 'nope'" in (check.failure or "")

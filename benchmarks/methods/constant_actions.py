# SPDX-License-Identifier: Apache-2.0
"""Makes methods that repeat one action throughout a training.

A policy that observes each layer and timestep should beat the best of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

import numpy as np

from agents.environment.action_scripts import ActionScript
from ganno_keras.control.action_sets import RATE_AND_DECAY_ACTIONS
from ganno_keras.control.layer_kinds import LAYER_KINDS
from ganno_keras.control.observing.observations import ObservationSpec
from ganno_keras.policies import ScriptedPolicy

from .method import Method, TrainingContext, TrainingParts
from .policies import with_ganno

CONSTANT_SCRIPTS: Final = (
    *(ActionScript((action,)) for action in (0, 1, 3, 4, 6, 7, 8)),
    *(ActionScript((action,), of_linear=(1,)) for action in (3, 6)),
)
"""The schedule, twice and four times the schedule, with weight decays of 0.1 and 0.3.

Four times the schedule also comes with 0.01. The two higher rates also come with linear
layers on the schedule itself and 0.3.
"""


def _policy(script: ActionScript) -> ScriptedPolicy:
    spec = ObservationSpec(RATE_AND_DECAY_ACTIONS.num_actions)
    kinds = spec.place("layer_kind")

    def act(_: int, observation: np.ndarray, __: np.random.Generator) -> np.ndarray:
        is_linear = observation[:, kinds][:, LAYER_KINDS.index("linear")] == 1.0
        return script.by_timestep(1, is_linear)[0]

    return ScriptedPolicy(f"always {script}", act, action_set=RATE_AND_DECAY_ACTIONS)


def _make(script: ActionScript, context: TrainingContext) -> TrainingParts:
    return with_ganno(context, _policy(script))


CONSTANT_ACTIONS: Final[Mapping[str, Method]] = {
    f"always {script}": Method(partial(_make, script), "the action")
    for script in CONSTANT_SCRIPTS
}

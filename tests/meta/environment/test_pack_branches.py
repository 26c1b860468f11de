# SPDX-License-Identifier: Apache-2.0
"""The tasks of a pack, and the branches of their trainings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from agents.environment.branches import Moment, play
from agents.environment.pack_trainings import PackTrainings
from agents.tasks.drawn_data import CLEAN_IMAGES, FROM_SCRATCH, OTHER_CLASSES
from ganno_keras.control.actions import NO_OP
from tests.support.task_packs import ENVIRONMENT, tiny_pack

NUM_ACTIONS = 9
HIGHER = 2


def holding(action):
    return lambda seen: np.full(seen.shape[:2], action)


def played(pack, action=NO_OP, moments=(), num_actions=0):
    trainings = PackTrainings(pack, ENVIRONMENT)
    return play(trainings, holding(action), moments, num_actions)


@pytest.mark.parametrize("action", [NO_OP, HIGHER])
def test_branch_of_the_main_lines_action__is_bit_equal_to_it(action):
    found = played(
        tiny_pack(), action, moments=[Moment(0), Moment(1)], num_actions=NUM_ACTIONS
    )
    assert found.losses.shape == found.errors.shape == (2, 3, NUM_ACTIONS)
    np.testing.assert_array_equal(found.losses[0, :, action], found.main_losses)
    np.testing.assert_array_equal(found.errors[0, :, action], found.main_errors)
    np.testing.assert_array_equal(found.losses[1, :, action], found.main_losses)
    # Nine actions, nine outcomes; fewer where less of the training is left.
    assert all(len(np.unique(it)) == NUM_ACTIONS for it in found.losses[0])


def test_observations__are_finite_and_of_all_decisions():
    found = played(tiny_pack())
    spec = ENVIRONMENT.observation_spec
    num_layers = 3  # two dense ones, and the normalisation between them
    assert found.observations.shape == (3, 3, num_layers, spec.num_features)
    assert np.isfinite(found.observations).all()
    progress = found.observations[:, 0, 0, spec.place("progress")].ravel()
    np.testing.assert_allclose(progress, [0.25, 0.5, 0.75])


def test_each_task__is_seen_with_its_own_epochs_and_layers():
    pack = tiny_pack()
    seen = played(pack).observations[0]
    spec = ENVIRONMENT.observation_spec
    epochs = 12 * 8 / np.array([it.num_samples for it in pack.data])
    np.testing.assert_allclose(
        10 ** seen[:, 0, spec.place("epochs")].ravel(), epochs, rtol=1e-5
    )
    is_fresh = seen[..., spec.place("is_fresh")].squeeze(-1)
    from_scratch, new_head, same_head = is_fresh
    assert from_scratch.tolist() == [1.0, 1.0, 1.0]
    assert new_head.tolist() == [0.0, 0.0, 1.0]
    assert same_head.tolist() == [0.0, 0.0, 0.0]


def test_task__does_not_depend_on_its_neighbours():
    # None has half of the classes, as all are judged by as many samples.
    pack = tiny_pack(2)
    data = tuple(dataclasses.replace(it, pretraining=FROM_SCRATCH) for it in pack.data)
    together = played(dataclasses.replace(pack, data=data))
    alone = played(dataclasses.replace(pack, data=data[:1]))
    np.testing.assert_allclose(alone.main_losses, together.main_losses[:1], rtol=1e-4)
    losses = together.main_losses
    assert len(np.unique(losses)) == len(losses)


def test_pack__plays_the_same_again():
    trainings = PackTrainings(tiny_pack(), ENVIRONMENT)
    one, other = (play(trainings, holding(NO_OP)) for _ in range(2))
    np.testing.assert_array_equal(one.observations, other.observations)
    np.testing.assert_array_equal(one.main_losses, other.main_losses)


def test_pretraining__leaves_networks_that_do_better_at_once():
    pack = tiny_pack(
        model_options={"hidden": (32,)},
        pretraining_updates=600,
        interval=1,
        decisions=2,
    )
    clean = {"input_noise": 0.0, "label_noise": 0.0, "input_scale": 1.0}
    same = [dataclasses.replace(it, **clean) for it in pack.data]
    from_scratch, _, same_head = played(
        dataclasses.replace(pack, data=tuple(same))
    ).main_errors
    assert same_head < 0.85 * from_scratch


def test_networks_of_convolutions__are_called_one_by_one():
    pack = tiny_pack(
        model="two_layer_cnn", model_options={"filters": 2}, maps_lanes=False
    )
    found = played(pack, moments=[Moment(1)], num_actions=2)
    np.testing.assert_array_equal(found.losses[0, :, NO_OP], found.main_losses)


def test_branches_of_one_kind__leave_other_layers_alone():
    moments = [Moment(0), Moment(0, "linear"), Moment(0, "normalization")]
    found = played(tiny_pack(), moments=moments, num_actions=NUM_ACTIONS)
    assert found.are_acting.tolist() == [
        [True, True, True],
        [True, False, True],
        [False, True, False],
    ]
    of_all, of_dense, of_gains = found.losses[..., HIGHER]
    assert (of_all != of_dense).all()
    assert (of_gains != found.main_losses).all()
    # The no-op is the same, whoever takes it.
    assert (found.losses[..., NO_OP] == found.main_losses).all()


def test_training_that_ends_early__is_on_its_way_to_the_planned_end():
    found = played(tiny_pack(decisions=2, unfinished=2))
    spec = ENVIRONMENT.observation_spec
    progress = found.observations[:, 0, 0, spec.place("progress")].ravel()
    np.testing.assert_allclose(progress, [0.2, 0.4])
    length = found.observations[0, 0, 0, spec.place("num_updates")]
    np.testing.assert_allclose(10**length, 15, rtol=1e-5)


def test_low_rank_factors__are_fresh_beside_frozen_kernels():
    kinds = [OTHER_CLASSES, CLEAN_IMAGES]
    pack = tiny_pack(low_rank=2, model_options={"hidden": (6, 6)})
    data = [
        dataclasses.replace(it, pretraining=kind)
        for it, kind in zip(pack.data, kinds, strict=False)
    ]
    pack = dataclasses.replace(pack, data=tuple(data))
    found = played(pack, HIGHER, moments=[Moment(0)], num_actions=NUM_ACTIONS)
    np.testing.assert_array_equal(found.losses[0, :, HIGHER], found.main_losses)
    spec = ENVIRONMENT.observation_spec
    new_head, same_head = found.observations[0, ..., spec.place("is_fresh")].squeeze(-1)
    assert new_head.tolist() == [1.0, 1.0, 1.0]
    assert same_head.tolist() == [1.0, 1.0, 0.0]


@pytest.mark.parametrize("low_rank", [0, 2])
def test_siblings__begin_as_the_only_training_of_their_task_does(low_rank):
    pack = tiny_pack(2, low_rank=low_rank)
    alone, siblings = (PackTrainings(pack, ENVIRONMENT, copies) for copies in (1, 2))
    assert (siblings.num_tasks, siblings.num_trainings) == (2, 4)
    alone.begin()
    siblings.begin()
    of_tasks = alone._trainings._optimizer.weights.numpy().reshape(2, -1)
    of_siblings = siblings._trainings._optimizer.weights.numpy().reshape(4, -1)
    np.testing.assert_array_equal(of_siblings, np.repeat(of_tasks, 2, axis=0))


def test_siblings__with_the_same_actions_end_alike():
    trainings = PackTrainings(tiny_pack(2), ENVIRONMENT, copies=2)
    losses = play(trainings, holding(HIGHER)).main_losses
    assert losses[0] == losses[1]
    # The last one is at the end of all arrays, where numbers are rounded differently.
    assert losses[2] == pytest.approx(losses[3], rel=1e-3)
    two_actions = np.tile([[NO_OP], [HIGHER]], (2, len(trainings.kinds)))
    apart = play(trainings, lambda seen: two_actions).main_losses
    assert apart[0] != apart[1] == losses[1]
    assert apart[2] != pytest.approx(apart[3], rel=1e-3)

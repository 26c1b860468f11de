# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.anchor.optimizer_traits import OptimizerTraits
from ganno_keras.control.anchor.update_ratios import (
    LARGEST_PROBE,
    UNMEASURED_RATE,
    RenewalRules,
    UpdateRatios,
)
from ganno_keras.control.anchor.weight_groups import WeightGroup

KERNEL = WeightGroup("linear", ((4, 4), (4,)))
ADAM = OptimizerTraits(momentum=0.9, has_own_size=True)
RMSPROP = OptimizerTraits(momentum=0.0, has_own_size=True)
SGD = OptimizerTraits(momentum=0.9, has_own_size=False)
EMBEDDING = WeightGroup("embedding", ((8, 16),))
OTHER_KERNEL = WeightGroup("convolution", ((3, 3, 2, 2),))
GAINS = WeightGroup("normalization", ((4,), (4,)))
NETWORK = (KERNEL, GAINS, OTHER_KERNEL)

ANY_NUMBER = st.floats(allow_nan=True, allow_infinity=True, width=64)
ANY_NORMS = st.lists(ANY_NUMBER, min_size=3, max_size=3)


def renewed(groups, weights, updates, rules=None, optimizer=None):
    ratios = UpdateRatios(groups, rules, optimizer)
    ratios.add(weights, updates)
    ratios.renew()
    return ratios


def test_update_ratios__without_groups_is_refused():
    with pytest.raises(ValueError, match="no layer groups"):
        UpdateRatios([])


def test_update_ratios__of_another_number_of_norms_are_refused():
    with pytest.raises(ValueError, match="weight_norms of shape"):
        UpdateRatios([KERNEL]).add([1.0, 1.0], [1.0])


def test_update_ratios__are_the_norms_quotient():
    ratios = renewed([KERNEL], [6.0], [3.0])
    assert ratios.values == pytest.approx([2.0])


def test_update_ratios__are_unknown_before_a_measurement():
    ratios = UpdateRatios(NETWORK)
    assert np.isnan(ratios.values).all()
    ratios.renew()
    assert np.isnan(ratios.values).all()


def test_update_ratios__average_directions_over_several_updates():
    ratios = UpdateRatios([KERNEL])
    for norm in (1.0, 7.0):
        ratios.add([5.0], [norm])
    ratios.renew()
    assert ratios.values == pytest.approx([5.0 / np.sqrt((1.0 + 49.0) / 2.0)])


def test_update_ratios__of_weights_at_zero_take_the_floor():
    ratios = renewed([KERNEL], [0.0], [2.0])
    expected = KERNEL.floor * np.sqrt(KERNEL.num_weights) / 2.0
    assert ratios.values == pytest.approx([expected])


@pytest.mark.parametrize("size", [0.03, 2.0], ids=["as drawn", "large"])
def test_update_ratios__of_a_fresh_embedding_count_at_least_one(size):
    root = np.sqrt(EMBEDDING.num_weights)
    fresh = renewed([EMBEDDING], [size * root], [root])
    assert fresh.values == pytest.approx([max(size, 1.0)])


def test_update_ratios__of_a_pretrained_embedding_are_its_own():
    root = np.sqrt(EMBEDDING.num_weights)
    ratios = UpdateRatios([EMBEDDING, KERNEL])
    ratios.know_pretrained([True, False])
    ratios.add([0.2 * root, 6.0], [root, 3.0])
    ratios.renew()
    assert ratios.values == pytest.approx([0.2, 2.0])


def test_update_ratios__of_gains_are_the_kernels_median():
    ratios = renewed(NETWORK, [6.0, 100.0, 9.0], [3.0, 1.0, 9.0])
    assert ratios.values == pytest.approx([2.0, 1.5, 1.0])


def test_update_ratios__of_gains_alone_are_their_own():
    assert renewed([GAINS], [4.0], [2.0]).values == pytest.approx([2.0])


def test_update_ratios__of_weights_that_grow_count_them_as_at_the_start():
    ratios = renewed([KERNEL], [6.0], [3.0])
    for weights in (7.0, 60.0):
        ratios.add([weights], [3.0])
        ratios.renew()
        assert ratios.values == pytest.approx([2.0])
    ratios.add([3.0], [3.0])  # and as they are, once they have shrunk
    ratios.renew()
    assert ratios.values == pytest.approx([1.0])


def test_update_ratios__of_weights_that_start_at_zero_stay_at_the_floor():
    ratios = renewed([KERNEL], [0.0], [2.0])
    floor = ratios.values.copy()
    ratios.add([100.0], [2.0])
    ratios.renew()
    assert ratios.values == pytest.approx(floor)


def test_update_ratios__may_follow_weights_that_grow():
    ratios = renewed([KERNEL], [6.0], [3.0], RenewalRules(largest_growth=1.5))
    ratios.add([60.0], [3.0])
    ratios.renew()
    assert ratios.values == pytest.approx([3.0])


def test_update_ratios__of_a_network_that_bears_growth_follow_growing_weights():
    ratios = UpdateRatios([KERNEL], bears_growth=True)
    for weights, expected in ((6.0, 2.0), (9.0, 3.0)):
        ratios.add([weights], [3.0])
        ratios.renew()
        assert ratios.values == pytest.approx([expected])


def test_state__of_an_earlier_version_starts_where_it_is():
    ratios = renewed([KERNEL], [6.0], [3.0])
    state = {it: array for it, array in ratios.get_state().items() if it != "starts"}
    later = UpdateRatios([KERNEL])
    later.set_state(state)
    later.add([12.0], [3.0])
    later.renew()
    assert later.values == pytest.approx([2.0])


@given(st.lists(st.tuples(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3)), min_size=1))
def test_ratios__never_count_more_than_the_weights_of_the_start(course):
    ratios = UpdateRatios([KERNEL], RenewalRules(largest_change=1e9))
    least = KERNEL.floor * np.sqrt(KERNEL.num_weights)
    for weight, direction in course:
        ratios.add([weight], [direction])
        ratios.renew()
        assert ratios.values[0] * direction <= max(course[0][0], least) * (1 + 1e-9)


def test_update_ratios__change_by_a_factor_at_most():
    ratios = renewed([KERNEL], [6.0], [3.0])
    ratios.add([6.0], [0.003])  # as SGD's, once the gradient has vanished
    ratios.renew()
    assert ratios.values == pytest.approx([4.0])
    ratios.add([6.0], [3e6])
    ratios.renew()
    assert ratios.values == pytest.approx([2.0])


def test_update_ratios__do_not_run_away_with_a_vanishing_gradient():
    ratios = renewed([KERNEL], [6.0], [3.0], RenewalRules(memory=8))
    for _ in range(7):
        ratios.add([6.0], [3.0])
        ratios.renew()
    for _ in range(4):  # fewer than move the median of eight
        ratios.add([6.0], [1e-9])
        ratios.renew()
    assert ratios.values[0] <= 2.0 * 16.0


@given(st.lists(st.tuples(ANY_NORMS, ANY_NORMS, st.booleans()), max_size=12))
def test_update_ratios__are_never_infinite_negative_or_made_nan(course):
    ratios = UpdateRatios(NETWORK)
    were_known = np.zeros(3, bool)
    for weights, updates, is_renewed in course:
        ratios.add(np.abs(weights), np.abs(updates))
        if is_renewed:
            ratios.renew()
        known = ~np.isnan(ratios.values)
        assert (known | ~were_known).all()
        assert np.isfinite(ratios.values[known]).all()
        assert (ratios.values[known] > 0.0).all()
        were_known = known


@given(st.lists(st.tuples(ANY_NORMS, ANY_NORMS), min_size=1, max_size=8), st.data())
def test_update_ratios__go_on_from_their_state(course, data):
    where = data.draw(st.integers(0, len(course)))
    straight, resumed = UpdateRatios(NETWORK), UpdateRatios(NETWORK)
    for place, (weights, updates) in enumerate(course):
        if place == where:
            other = UpdateRatios(NETWORK)
            other.set_state(resumed.get_state())
            resumed = other
        for ratios in (straight, resumed):
            ratios.add(weights, updates)
            if place % 2:
                ratios.renew()
    np.testing.assert_array_equal(straight.values, resumed.values)


def test_update_ratios__refuse_the_state_of_another_model():
    state = UpdateRatios([KERNEL]).get_state()
    ratios = renewed(NETWORK, [6.0, 1.0, 9.0], [3.0, 1.0, 9.0])
    with pytest.raises(ValueError, match="same model"):
        ratios.set_state(state)
    assert ratios.values == pytest.approx([2.0, 1.5, 1.0])


def test_update_ratios__are_renewed_early_and_at_each_decision():
    ratios = UpdateRatios([KERNEL])
    renewals = [it for it in range(1, 301) if ratios.is_renewal(it, interval=100)]
    assert renewals == [1, 2, 4, 8, 16, 32, 64, 100, 200, 300]


def test_update_ratios__are_measured_just_before():
    ratios = UpdateRatios([KERNEL], RenewalRules(window=4))
    measured = [it for it in range(60, 210) if ratios.is_measured(it, interval=100)]
    assert measured == [61, 62, 63, 64, 97, 98, 99, 100, 197, 198, 199, 200]


@pytest.mark.parametrize(("optimizer", "number"), [(ADAM, 1), (RMSPROP, 4), (SGD, 4)])
def test_update_ratios__are_measured_once_where_steps_are_steady(optimizer, number):
    ratios = UpdateRatios([KERNEL], optimizer=optimizer)
    measured = [it for it in range(201, 301) if ratios.is_measured(it, interval=100)]
    assert measured == list(range(301 - number, 301))


@given(
    update=st.integers(1, 500),
    interval=st.integers(1, 200),
    window=st.integers(1, 8),
)
def test_update_ratios__are_measured_in_the_window_before_a_renewal(
    update, interval, window
):
    ratios = UpdateRatios([KERNEL], RenewalRules(window=window))
    coming = range(update, update + window)
    expected = any(ratios.is_renewal(it, interval) for it in coming)
    assert ratios.is_measured(update, interval) == expected


@pytest.mark.parametrize("optimizer", [ADAM, RMSPROP])
def test_vanished_direction__counts_for_the_least_of_its_size(optimizer):
    roots = np.sqrt(KERNEL.num_weights)
    ratios = renewed([KERNEL], [6.0], [1e-6], optimizer=optimizer)
    least = RenewalRules().least_direction
    assert ratios.values == pytest.approx([6.0 / (least * roots)])
    ordinary = renewed([KERNEL], [6.0], [0.1 * roots], optimizer=optimizer)
    assert ordinary.values == pytest.approx([6.0 / (0.1 * roots)])


def test_small_direction__of_an_optimizer_without_a_size_of_its_own_counts():
    assert renewed([KERNEL], [6.0], [1e-6], optimizer=SGD).values == [6e6]


@given(
    st.lists(
        st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=2), min_size=1, max_size=40
    )
)
def test_ratio__never_rises_above_its_running_median_by_more_than_the_rules_say(norms):
    rules = RenewalRules(memory=8, largest_rise=3.0)
    ratios, seen = UpdateRatios([KERNEL], rules), []
    for weight, direction in norms:
        ratios.add([weight], [direction])
        ratios.renew()
        if seen:
            assert ratios.values[0] <= 3.0 * np.median(seen[-8:]) * (1 + 1e-9)
        seen.append(ratios.values[0])


def test_probes__grow_while_no_step_is_seen_and_then_no_more():
    ratios = UpdateRatios(NETWORK[:2])
    assert (ratios.probes == UNMEASURED_RATE).all()
    for _ in range(2):
        ratios.add([1.0, 1.0], [0.0, 0.5])
    np.testing.assert_allclose(
        ratios.probes, [100.0 * UNMEASURED_RATE, UNMEASURED_RATE]
    )
    ratios.renew()
    for _ in range(9):
        ratios.add([1.0, 1.0], [0.0, 0.0])
    np.testing.assert_allclose(ratios.probes, [LARGEST_PROBE, UNMEASURED_RATE])

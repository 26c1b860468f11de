# SPDX-License-Identifier: Apache-2.0
"""Observations are finite, ordered as Appendix A, and refuse what they cannot build."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganno_keras.control.observing.observation_entries import (
    ENTRIES_BY_VERSION,
    ObservationEntry,
    newest_version,
)
from ganno_keras.control.observing.observations import ObservationSpec
from ganno_keras.policies import load_policy
from ganno_keras.policies.registry import policies_directory

SPEC = ObservationSpec(num_actions=9)
ONE_HOT = {"previous_action": 9, "layer_kind": 7, "layer_depth": 3}
NUMBERS = [entry.name for entry in SPEC.entries if entry.name not in ONE_HOT]

any_number = st.floats(allow_nan=True, allow_infinity=True, width=64)


each_version = pytest.mark.parametrize("version", sorted(ENTRIES_BY_VERSION))


def values_of(numbers: dict[str, float]) -> dict[str, np.ndarray]:
    one_hot = {name: np.zeros(2, np.int64) for name in ONE_HOT}
    return {**{name: np.float64(v) for name, v in numbers.items()}, **one_hot}


@each_version
@given(st.data())
def test_build__is_finite_and_within_the_ranges_for_any_numbers(version, data):
    spec = ObservationSpec(num_actions=9, version=version)
    names = [entry.name for entry in spec.entries if entry.name not in ONE_HOT]
    numbers = data.draw(st.fixed_dictionaries(dict.fromkeys(names, any_number)))
    observation = spec.build(values_of(numbers), num_agents=2)
    assert observation.shape == (2, spec.num_features)
    assert np.isfinite(observation).all()
    low = np.concatenate([np.full(e.size, e.minimum) for e in spec.entries])
    high = np.concatenate([np.full(e.size, e.maximum) for e in spec.entries])
    assert (low <= observation).all()
    assert (observation <= high).all()


def test_entries__follow_the_order_of_appendix_a():
    names = [entry.name for entry in SPEC.entries]
    assert names == [
        "train_accuracy",
        "train_loss",
        "validation_accuracy",
        "validation_loss",
        "loss_is_not_finite",
        "progress",
        "train_validation_loss_ratio",
        "initial_learning_rate",
        "initial_weight_decay",
        "accuracy_is_known",
        "validation_is_known",
        "learning_rate",
        "previous_action",
        "layer_kind",
        "layer_depth",
        "trust_ratio",
        "gradient_norm",
        "update_norm",
        "weight_mean",
        "weight_variance",
        "weight_norm",
    ]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("train_accuracy", 0.25, 0.25),
        ("train_loss", -1.0, -np.log(2.0)),
        ("train_loss", np.nan, 10.0),
        ("validation_loss", np.inf, 10.0),
        ("train_validation_loss_ratio", 0.1, -1.0),
        ("learning_rate", 0.01, -2.0),
        ("learning_rate", 0.0, -8.0),
        ("gradient_norm", 1e30, 8.0),
        ("weight_mean", -0.5, -0.5),
    ],
)
def test_build__shows_a_value_on_its_scale(name, value, shown):
    values = values_of(dict.fromkeys(NUMBERS, 1.0)) | {name: np.float64(value)}
    observation = SPEC.build(values, num_agents=2)[0]
    names = [e.name for e in SPEC.entries for _ in range(e.size)]
    assert observation[names.index(name)] == pytest.approx(shown)


def test_build__shows_an_index_as_one_hot():
    values = values_of(dict.fromkeys(NUMBERS, 0.0))
    values["previous_action"] = np.array([0, 4])
    names = [e.name for e in SPEC.entries for _ in range(e.size)]
    first = names.index("previous_action")
    shown = SPEC.build(values, num_agents=2)[:, first : first + 9]
    np.testing.assert_array_equal(shown, np.eye(9)[[0, 4]])


def test_build__shows_masked_entries_as_zeros_and_nothing_else():
    masked = ObservationSpec(9, frozenset({"progress", "layer_kind"}))
    values = values_of(dict.fromkeys(NUMBERS, 0.5))
    seen, hidden = (spec.build(values, 2)[0] for spec in (SPEC, masked))
    names = np.array([e.name for e in SPEC.entries for _ in range(e.size)])
    is_masked = np.isin(names, ["progress", "layer_kind"])
    np.testing.assert_array_equal(hidden, np.where(is_masked, 0.0, seen))


@pytest.mark.parametrize("masked", [(), ("progress",), ("learning_rate", "layer_kind")])
def test_spec__survives_a_round_trip_through_json(masked):
    spec = ObservationSpec(9, frozenset(masked))
    description = json.loads(json.dumps(spec.to_dict()))
    assert ObservationSpec.from_dict(description) == spec


def test_spec__refuses_to_mask_an_entry_that_does_not_exist():
    with pytest.raises(ValueError, match=r"\['batch_size'\], which do not exist"):
        ObservationSpec(9, frozenset({"batch_size"}))


@each_version
def test_each_version__survives_a_round_trip_through_json(version):
    spec = ObservationSpec(9, version=version)
    description = json.loads(json.dumps(spec.to_dict()))
    assert ObservationSpec.from_dict(description) == spec


def test_second_version__leaves_out_where_the_optimizer_began_and_mean_weights():
    first, second = (
        {entry.name for entry in ObservationSpec(9, version=it).entries}
        for it in (1, 2)
    )
    assert first - second == {
        "initial_learning_rate",
        "initial_weight_decay",
        "weight_mean",
        "train_validation_loss_ratio",  # the gap is its negative logarithm
    }


def changed_description(change):
    description = copy.deepcopy(SPEC.to_dict())
    change(description)
    return description


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["entries"].append({"name": "batch_size"}), "batch_size"),
        (lambda d: d["entries"].pop(0), "train_accuracy"),
        (lambda d: d["entries"].reverse(), "the order of its entries"),
        (lambda d: d.update(version=9), "version 9"),
        (lambda d: d["entries"][0].update(maximum=2.0), "'maximum': 2.0"),
    ],
    ids=["unknown", "missing", "order", "version", "range"],
)
def test_from_dict__refuses_an_observation_it_cannot_build(change, message):
    with pytest.raises(ValueError, match=f"cannot build.*{message}"):
        ObservationSpec.from_dict(changed_description(change))


def test_spec__refuses_a_version_that_does_not_exist():
    with pytest.raises(ValueError, match=r"no version 7.*known are \[1"):
        ObservationSpec(9, version=7)


@pytest.fixture
def further_version(monkeypatch):
    """A newest version with one more entry than the one before it."""
    newest = newest_version()
    entries = ENTRIES_BY_VERSION[newest]
    further = ObservationEntry("weather", "global", "log10", 0.0, 6.0)
    monkeypatch.setitem(
        ENTRIES_BY_VERSION, newest + 1, lambda n: (*entries(n), further)
    )
    return newest + 1


def test_further_entry__is_in_the_newest_version_alone(further_version):
    before, now = (
        ObservationSpec(9, version=it) for it in (further_version - 1, further_version)
    )
    assert now.num_features == before.num_features + 1


def test_further_entry__refuses_no_shipped_policy(further_version):
    shipped = [path for path in policies_directory().iterdir() if path.is_dir()]
    assert len(shipped) >= 9
    for folder in shipped:
        metadata = load_policy(folder).metadata
        names = [entry.name for entry in metadata.observation_spec.entries]
        assert metadata.observation_spec.version < further_version
        assert "weather" not in names

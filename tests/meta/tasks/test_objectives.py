# SPDX-License-Identifier: Apache-2.0
"""What networks are given, and what they are to give back."""

from __future__ import annotations

import numpy as np
import pytest

from agents.tasks.datasets import as_table, standardise
from agents.tasks.objectives import GREY_LEVELS, find_objective
from agents.tasks.samples import Samples


def images(pixels):
    pixels = np.asarray(pixels, np.float32)
    return Samples(pixels, np.arange(len(pixels), dtype=np.int32))


@pytest.fixture(params=[1, 3])
def random_images(request):
    return images(np.random.default_rng(0).random((5, 28, 28, request.param)))


def test_classification__is_of_the_labels(random_images):
    inputs, targets = samples = find_objective("classification").samples(random_images)
    assert inputs is random_images.inputs
    assert targets is random_images.targets
    assert samples.num_outputs == 5


def test_reconstruction__gives_back_every_pixel(random_images):
    inputs, targets = samples = find_objective("reconstruction").samples(random_images)
    np.testing.assert_array_equal(targets.reshape(inputs.shape), inputs)
    assert samples.num_outputs == inputs[0].size


def test_completion__hides_the_lower_half(random_images):
    inputs, targets = samples = find_objective("completion").samples(random_images)
    below = targets.reshape(5, 14, 28, -1)
    np.testing.assert_array_equal(
        np.concatenate([inputs, below], axis=1), random_images.inputs
    )
    assert samples.num_outputs == below[0].size


def test_next_pixels__are_to_be_told_from_those_before(random_images):
    tokens, following = find_objective("next_pixels").samples(random_images)
    assert tokens.shape == following.shape == (5, 48)
    np.testing.assert_array_equal(tokens[:, 1:], following[:, :-1])
    assert 0 <= tokens.min() <= tokens.max() < GREY_LEVELS


def test_next_pixels__tell_white_from_black():
    make = find_objective("next_pixels").samples
    black, white = make(images([np.zeros((28, 28, 1)), np.ones((28, 28, 1))])).inputs
    assert set(black) == {0}
    assert set(white) == {GREY_LEVELS - 1}


def test_next_pixels__of_standardised_images_are_refused(random_images):
    with pytest.raises(ValueError, match=r"from -.*standardised: false"):
        find_objective("next_pixels").samples(*standardise(random_images))


def test_next_pixels__of_a_table_are_refused(random_images):
    with pytest.raises(ValueError, match=r"\(5, \d+\).*needs images"):
        find_objective("next_pixels").samples(as_table(random_images))


def test_completion__of_a_table_hides_the_last_columns(random_images):
    table = as_table(random_images)
    columns = np.concatenate(find_objective("completion").samples(table), axis=1)
    np.testing.assert_array_equal(columns, table.inputs)


@pytest.mark.parametrize("shape", [(5,), (5, 2)])
def test_regression__predicts_what_the_data_set_gives(random_images, shape):
    numbers = np.random.default_rng(1).random(shape)
    data = random_images._replace(targets=numbers)
    inputs, targets = samples = find_objective("regression").samples(data)
    assert inputs is data.inputs
    np.testing.assert_array_equal(targets, numbers.reshape(5, -1).astype(np.float32))
    assert samples.num_outputs == numbers.size // 5


def test_classification__of_numbers_is_refused(random_images):
    data = random_images._replace(targets=np.ones(5, np.float32))
    with pytest.raises(ValueError, match=r"float32.*'regression'"):
        find_objective("classification").samples(data)


def test_unknown_objective__is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"'profit'; known are .*'completion'"):
        find_objective("profit")

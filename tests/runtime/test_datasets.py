# SPDX-License-Identifier: Apache-2.0
"""The images that come with the package."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest

from ganno_keras.datasets import (
    LabelledImages,
    from_bytes,
    hold_out,
    load_embedded_fashion_mnist,
)

TRAIN_DIGESTS = (
    "4c2cd1df8e437e957f427d5ac5696d124f1d2baf8b9ff6b5659edf7556df4495",
    "01f74708c4c2db64ffe11be3c07b7815ea97b4f2100cf6b15aee67ff2ac03ed5",
)
TEST_DIGESTS = (
    "a20ab345c5a86e57637ba877f05c60527999597aac6cf1a6da1f941f02c709ad",
    "dcff6fc8a105cd4c2ecf1f50f365bced73fcf9c121ccb40ed19a620a8f311c46",
)


@pytest.fixture(scope="module")
def embedded() -> tuple[LabelledImages, LabelledImages]:
    return load_embedded_fashion_mnist()


@pytest.mark.parametrize(
    ("split", "digests"), [(0, TRAIN_DIGESTS), (1, TEST_DIGESTS)], ids=["train", "test"]
)
def test_embedded_fashion_mnist__holds_exactly_these_bytes(embedded, split, digests):
    images, labels = embedded[split]
    pixels = np.rint(images * 255).astype(np.uint8)
    assert sha256(pixels.tobytes()).hexdigest() == digests[0]
    assert sha256(labels.astype(np.uint8).tobytes()).hexdigest() == digests[1]


@pytest.mark.parametrize(("split", "count"), [(0, 800), (1, 200)])
def test_embedded_fashion_mnist__is_balanced_and_scaled(embedded, split, count):
    images, labels = embedded[split]
    assert images.shape == (10 * count, 28, 28, 1)
    assert (images.dtype, labels.dtype) == (np.float32, np.int32)
    assert (images.min(), images.max()) == (0.0, 1.0)
    assert np.bincount(labels).tolist() == [count] * 10


def test_embedded_fashion_mnist__is_in_random_order(embedded):
    """So that cutting off the end, or training unshuffled, meets every class."""
    for start in range(0, 8000, 400):
        assert len(np.unique(embedded[0].labels[start : start + 400])) == 10


def test_embedded_fashion_mnist__shares_no_image_between_its_parts(embedded):
    train, test = ({image.tobytes() for image in part.images} for part in embedded)
    assert not train & test


def test_from_bytes__maps_0_and_255_to_0_and_1():
    pixels = np.array([0, 51, 255], np.uint8).reshape(3, 1, 1, 1)
    images, labels = from_bytes(pixels, np.array([2, 0, 1]))
    np.testing.assert_array_equal(images.ravel(), np.float32([0, 51 / 255, 1]))
    np.testing.assert_array_equal(labels, [2, 0, 1])


def _numbered(count: int) -> LabelledImages:
    numbers = np.arange(count)
    return LabelledImages(numbers.astype(np.float32), numbers.astype(np.int32))


def test_hold_out__cuts_the_last_images_off():
    rest, held_out = hold_out(_numbered(10), 3)
    np.testing.assert_array_equal(rest.labels, range(7))
    np.testing.assert_array_equal(held_out.labels, range(7, 10))
    np.testing.assert_array_equal(held_out.images, held_out.labels)


@pytest.mark.parametrize("num_images", [-1, 0, 10, 11])
def test_hold_out__refuses_to_leave_a_part_empty(num_images):
    with pytest.raises(ValueError, match=rf"^{num_images} images .* from 1 to 9\.$"):
        hold_out(_numbered(10), num_images)

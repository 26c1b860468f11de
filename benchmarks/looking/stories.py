# SPDX-License-Identifier: Apache-2.0
"""Fits that tell what agents do: a fine-tuning, one that overfits, one with bad labels.

Each is run by the anchor alone and by a policy, from the same weights and with the same
minibatches. The images come with the package.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from agents.tasks.models import build_model
from agents.tasks.samples import Samples
from ganno_keras import GANNO
from ganno_keras.datasets import LabelledImages, load_embedded_fashion_mnist

NUM_WATCHED: Final = 500
"""Test images that agents see the loss of; the others are held out."""
EPOCH: Final = 20
"""Updates between two measurements of the held-out loss."""
_SHRINK: Final = 2
_CLASSES: Final = 10
_HALF: Final = _CLASSES // 2


class Story(NamedTuple):
    """A fit, with all that it learns from."""

    about: str
    model: Callable[[], keras.Model]  # equal weights at each call
    inputs: np.ndarray  # float32 [num_samples, height, width, channels]
    order: np.ndarray  # int [num_updates, batch_size], the samples of each minibatch
    targets: np.ndarray  # int [num_updates, batch_size], their labels
    watched: Samples
    held_out: Samples
    interval: int  # updates between two decisions
    bad_updates: tuple[int, int] = (0, 0)  # from, to: those with wrong labels

    @property
    def num_updates(self) -> int:
        """Updates of the fit."""
        return len(self.order)


def fine_tuning(num_updates: int = 600) -> Story:
    """A CNN that knows five of the classes learns the others from 200 images."""
    train, test = _images()
    start = _pretrained(_of_classes(train, 0, _HALF), num_updates)
    return _story(
        "a CNN that knows five classes learns five others from 200 images",
        lambda: _with_new_head(start),
        _of_classes(train, _HALF, _CLASSES),
        _of_classes(test, _HALF, _CLASSES),
        200,
        num_updates,
    )


def overfitting(num_updates: int = 1500) -> Story:
    """A perceptron sees 300 images again and again."""
    train, test = _images()
    return _story(
        "a perceptron sees 300 images again and again",
        _perceptron,
        train,
        test,
        300,
        num_updates,
    )


def bad_moment(num_updates: int = 1500) -> Story:
    """The labels of a CNN's minibatches are drawn anew for a while."""
    train, test = _images()
    usual = _story(
        "the labels that a CNN learns from are random for a while",
        lambda: _cnn(_CLASSES),
        train,
        test,
        1000,
        num_updates,
    )
    first, last = round(0.4 * num_updates), round(0.5 * num_updates)
    targets = usual.targets.copy()
    random = np.random.default_rng(1)
    targets[first:last] = random.integers(0, _CLASSES, targets[first:last].shape)
    return usual._replace(targets=targets, bad_updates=(first, last))


STORIES: Final[Mapping[str, Callable[[], Story]]] = {
    "fine_tuning": fine_tuning,
    "overfitting": overfitting,
    "bad_moment": bad_moment,
}


def told(story: Story, policy: str) -> dict[str, Any]:
    """Runs a fit; returns what was done and what came of it, in plain JSON types.

    Args:
        story: What is trained.
        policy: A name or a folder, as for `GANNO`.
    """
    keras.utils.clear_session()  # so that layers have the same names in both fits
    keras.utils.set_random_seed(0)
    model = story.model()
    model.compile("adam", _loss())
    ganno = GANNO(policy, interval=story.interval, validation_data=story.watched)
    epochs = story.num_updates // EPOCH
    found = model.fit(
        _minibatches(story),
        steps_per_epoch=EPOCH,
        epochs=epochs,
        validation_data=story.held_out,
        validation_batch_size=500,
        shuffle=False,
        callbacks=[ganno],
        verbose=0,
    )
    history = ganno.history
    octaves = np.log2(history.action_set.factors(history.actions))
    return {
        "layers": list(history.layers),
        "pretrained_layers": list(history.pretrained_layers),
        "decisions": history.updates.tolist(),
        "octaves": octaves.round(3).tolist(),  # by decision and layer
        "updates": [EPOCH * (epoch + 1) for epoch in range(epochs)],
        "losses": np.round(found.history["loss"], 5).tolist(),
        "held_out_losses": np.round(found.history["val_loss"], 5).tolist(),
    }


def _story(
    about: str,
    model: Callable[[], keras.Model],
    train: Samples,
    test: Samples,
    num_samples: int,
    num_updates: int,
) -> Story:
    """Draws the minibatches: all samples, then all of them again in another order."""
    random = np.random.default_rng(0)
    epochs = -(-num_updates * _BATCH_SIZE // num_samples)
    drawn = [random.permutation(num_samples) for _ in range(epochs)]
    length = num_updates * _BATCH_SIZE
    order = np.concatenate(drawn)[:length].reshape(num_updates, _BATCH_SIZE)
    return Story(
        about,
        model,
        train.inputs[:num_samples],
        order,
        train.targets[order],
        Samples(*(part[:NUM_WATCHED] for part in test)),
        Samples(*(part[NUM_WATCHED:] for part in test)),
        interval=max(num_updates // _DECISIONS, 1),
    )


_BATCH_SIZE: Final = 16
_DECISIONS: Final = 15


def _images() -> tuple[Samples, Samples]:
    """Returns the training and the test set, in small images."""
    train, test = load_embedded_fashion_mnist()
    return _samples(train), _samples(test)


def _samples(images: LabelledImages) -> Samples:
    return Samples(_shrunk(images.images), images.labels)


def _shrunk(images: np.ndarray) -> np.ndarray:
    count, side = images.shape[:2]
    squares = images.reshape(count, side // _SHRINK, _SHRINK, side // _SHRINK, -1)
    return np.asarray(squares.mean(axis=(2, 4))[..., np.newaxis], np.float32)


def _of_classes(samples: Samples, first: int, stop: int) -> Samples:
    """Returns the samples of some classes, which are counted from 0 again."""
    chosen = (samples.targets >= first) & (samples.targets < stop)
    return Samples(samples.inputs[chosen], samples.targets[chosen] - first)


def _perceptron() -> keras.Model:
    options = {"hidden": (128, 128)}
    return build_model("multilayer_perceptron", _shape(), _CLASSES, options)


def _cnn(num_classes: int) -> keras.Model:
    options = {"filters": 16, "units": 32}
    return build_model("five_layer_cnn", _shape(), num_classes, options)


def _shape() -> tuple[int, int, int]:
    side = 28 // _SHRINK
    return side, side, 1


def _pretrained(samples: Samples, num_updates: int) -> keras.Model:
    """Trains the CNN as a user does before somebody else fine-tunes it."""
    keras.utils.set_random_seed(0)
    model = _cnn(_HALF)
    model.compile("adam", _loss())
    epochs = max(round(num_updates * 32 / len(samples.targets)), 1)
    model.fit(*samples, batch_size=32, epochs=epochs, verbose=0)
    return model


def _with_new_head(start: keras.Model) -> keras.Model:
    """Copies all weights but those of the last layer, which are drawn anew."""
    model = _cnn(_HALF)
    with_weights = [it for it in model.layers if it.weights]
    theirs = [it for it in start.layers if it.weights]
    for layer, other in zip(with_weights[:-1], theirs[:-1], strict=True):
        layer.set_weights(other.get_weights())
    return model


def _loss() -> keras.losses.Loss:
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def _minibatches(story: Story) -> tf.data.Dataset:
    inputs = tf.constant(story.inputs)
    order = tf.data.Dataset.from_tensor_slices((story.order, story.targets))
    return order.map(lambda chosen, targets: (tf.gather(inputs, chosen), targets))

# SPDX-License-Identifier: Apache-2.0
"""The trainings of each experiment, and what is asked of them, written down before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

SMALL_LENGTH: Final = 300
"""The plan had 800; what two cores could carry in the time was less."""
WIDE_LENGTH: Final = 300


@dataclass(frozen=True)
class Network:
    """A network with the data that it is trained on.

    Args:
        name: In results.
        model: By name; see agents/tasks/models.py.
        dataset: By name; see agents/tasks/datasets.py.
        options: Further arguments of the model's builder.
        num_samples: To train on.
        family: What most of its weights are: "dense", "convolution", "attention" or
            "recurrent".
        uses: How many positions of one sample each weight of its inner layers serves.
    """

    name: str
    model: str
    dataset: str
    options: Mapping[str, Any]
    num_samples: int
    family: str
    uses: int = 1


@dataclass(frozen=True)
class Cell:
    """A training but for its rates.

    Args:
        network: What is trained.
        optimizer: By name; see trainings.py.
        length: Updates.
        batch_size: Samples in a minibatch.
        variant: A change of the rules, "" for none.
        origin: What the weights come from, "" for a network from scratch.
        target: What they are fine-tuned to, by name.
    """

    network: Network
    optimizer: str
    length: int
    batch_size: int = 32
    variant: str = ""
    origin: str = ""
    target: str = ""
    is_wide: bool = field(default=False, compare=False)

    @property
    def name(self) -> str:
        """The cell in results."""
        parts = [self.network.name, self.optimizer, f"T{self.length}"]
        if self.batch_size != 32:
            parts.append(f"B{self.batch_size}")
        parts.append(f"N{self.network.num_samples}")
        return "-".join([*parts, *filter(None, [self.origin, self.target])])

    @property
    def epochs(self) -> float:
        """Passes over the samples."""
        return self.length * self.batch_size / self.network.num_samples


def network_of(
    name: str,
    model: str,
    dataset: str,
    family: str,
    uses: int = 1,
    num_samples: int | None = None,
    **options: Any,
) -> Network:
    """Makes a network; the options are for the builder of its model."""
    usual = 20_000 if dataset == "cifar10" else 7_000
    return Network(name, model, dataset, options, num_samples or usual, family, uses)


_FASHION: Final = "embedded_fashion_mnist"

SMALL: Final = (
    network_of("cnn2", "two_layer_cnn", _FASHION, "convolution", 144),
    network_of(
        "cnn5-8", "five_layer_cnn", "cifar10", "convolution", 64, filters=8, shrink=2
    ),
    network_of(
        "bn-cnn-8", "normalised_cnn", "cifar10", "convolution", 64, filters=8, shrink=2
    ),
    network_of(
        "mlp-64x4", "multilayer_perceptron", _FASHION, "dense", hidden=(64,) * 4
    ),
    network_of("mixer-24", "mixer", _FASHION, "attention", 28, width=24),
    network_of("transformer-32", "transformer", _FASHION, "attention", 28, width=32),
    network_of("causal-cnn", "causal_cnn", _FASHION, "convolution", 48),
    # Beyond the plan: recurrence, whose rates the first look found to be higher.
    network_of("lstm-32", "lstm", _FASHION, "recurrent", 28, units=32),
)
WIDE: Final = (
    network_of(
        "mlp-512x2", "multilayer_perceptron", _FASHION, "dense", hidden=(512,) * 2
    ),
    network_of("transformer-128", "transformer", _FASHION, "attention", 28, width=128),
    network_of("cnn5-32", "five_layer_cnn", "cifar10", "convolution", 256, filters=32),
)
_TRANSFORMER_64: Final = network_of(
    "transformer-64", "transformer", _FASHION, "attention", 28, width=64
)
LANGUAGE: Final = network_of(
    "language-32", "language_model", _FASHION, "attention", 48, width=32
)
"""Has as many targets for each sample as the causal network."""
OPTIMIZERS: Final = ("adam", "sgd", "lion")

FIRST_RELATIVE_STEPS: Final = (0, -2, 2)
"""Powers of 2 that the formula's relative rate is multiplied by at first; see
optima.py for those that follow."""
FIRST_ABSOLUTE_STEPS: Final = (3, 1, 5)

LOWEST_ABSOLUTE_RATES: Final = {"adam": 2.5e-4, "sgd": 4e-3, "lion": 5e-5}
"""What powers of 2 are multiplied by for absolute rates."""


_EVERY_OPTIMIZER: Final = ("mlp-64x4", "cnn5-8", "bn-cnn-8", "transformer-32")
"""The plan had all networks with all optimizers."""


def e1_cells() -> Iterator[Cell]:
    """The trainings of the first experiment: does the anchor hold in Keras?"""
    for optimizer in OPTIMIZERS:
        for network in SMALL:
            if optimizer == "adam" or network.name in _EVERY_OPTIMIZER:
                yield Cell(network, optimizer, SMALL_LENGTH)
    for network in WIDE:
        yield Cell(network, "adam", WIDE_LENGTH, is_wide=True)


def e1_variants() -> Iterator[Cell]:
    """The same with another rule for gains and for embeddings."""
    by_name = {network.name: network for network in SMALL}
    for name in ("bn-cnn-8", "transformer-32"):
        yield Cell(by_name[name], "adam", SMALL_LENGTH, variant="gains-own-ratio")
    for name in ("transformer-32", "causal-cnn"):
        yield Cell(by_name[name], "adam", SMALL_LENGTH, variant="no-floor")


LOWER_ATTENTION: Final = "attention-halved"
VARIANT_OCTAVES: Final[Mapping[str, Mapping[str, float]]] = {
    LOWER_ATTENTION: {"attention": -1.0}
}
"""What a variant adds to the relative rates of kinds of layers, in octaves."""


def e1_attention() -> Iterator[Cell]:
    """Transformers whose attention moves half as much as their other layers."""
    by_name = {it.name: it for it in (*SMALL, *WIDE, _TRANSFORMER_64)}
    for width in (32, 64, 128):
        network = by_name[f"transformer-{width}"]
        yield Cell(network, "adam", SMALL_LENGTH, variant=LOWER_ATTENTION)


def e1_lengths() -> Iterator[Cell]:
    """What the formula's other terms are refitted to: lengths, batches, samples."""
    by_name = {network.name: network for network in (*SMALL, *WIDE)}
    for name in ("mlp-64x4", "cnn5-8", "transformer-32"):
        network = by_name[name]
        yield Cell(network, "adam", 100)
        yield Cell(network, "adam", 200, batch_size=128)
        yield Cell(replace(network, num_samples=500), "adam", SMALL_LENGTH)
    for width in (16, 128):
        hidden = replace(
            by_name["mlp-64x4"], name=f"mlp-{width}x4", options={"hidden": (width,) * 4}
        )
        yield Cell(hidden, "adam", SMALL_LENGTH)
    yield Cell(by_name["mlp-64x4"], "adam", 1600)
    yield Cell(by_name["cnn5-8"], "adam", 1600)


WITHOUT_MOMENTUM: Final = ("rmsprop", "plain-sgd")


def e1_momentum() -> Iterator[Cell]:
    """Optimizers that do not average the gradient.

    Steps of Adam, Lion and SGD with momentum follow each other in one direction, and
    add up to more than their size tells. A term for optimizers without momentum is
    taken over if their best relative rates lie at least half an octave above those of
    Adam on the same networks, on average.
    """
    by_name = {network.name: network for network in SMALL}
    for name in ("mlp-64x4", "cnn5-8", "transformer-32"):
        for optimizer in WITHOUT_MOMENTUM:
            yield Cell(by_name[name], optimizer, SMALL_LENGTH)
    yield Cell(by_name["lstm-32"], "rmsprop", SMALL_LENGTH)


def e1_kinds() -> Iterator[Cell]:
    """Recurrence and attention at other widths and lengths.

    The first 32 cells have one recurrent network, and the one wide Transformer loses
    most. A term for a kind of layer, or another slope by width for it, is taken over if
    the formula with it loses at least 0.02 less over these cells, and in none of them
    more than 0.1.
    """
    for units in (64, 128):
        lstm = network_of(
            f"lstm-{units}", "lstm", _FASHION, "recurrent", 28, units=units
        )
        yield Cell(lstm, "adam", SMALL_LENGTH)
    by_name = {network.name: network for network in SMALL}
    yield Cell(by_name["lstm-32"], "adam", 1200)
    yield Cell(by_name["lstm-32"], "sgd", SMALL_LENGTH)
    for width in (64, 128):
        mixer = network_of(
            f"mixer-{width}", "mixer", _FASHION, "attention", 28, width=width
        )
        yield Cell(mixer, "adam", SMALL_LENGTH)
    yield Cell(_TRANSFORMER_64, "adam", SMALL_LENGTH)


def e1_tokens() -> Iterator[Cell]:
    """Networks that tell a token at each of 48 places.

    The causal CNN wants 2.3 octaves more than the formula names, and GPTs ended below
    their authors' in the field. A term for the number of targets is taken over if both
    language models here want at least half an octave more.
    """
    for width in (32, 64):
        network = replace(LANGUAGE, name=f"language-{width}", options={"width": width})
        yield Cell(network, "adam", SMALL_LENGTH)


def e1_widths() -> Iterator[Cell]:
    """A perceptron and a CNN at widths that are far apart."""
    for width in (32, 128, 512, 1024):
        hidden = (width,) * 2
        name = f"mlp-{width}x2"
        perceptron = network_of(
            name, "multilayer_perceptron", _FASHION, "dense", hidden=hidden
        )
        yield Cell(perceptron, "adam", SMALL_LENGTH, is_wide=width >= 512)
    for width in (8, 32, 128):
        cnn = network_of(
            f"cnn2-{width}" if width > 8 else "cnn2",
            "two_layer_cnn",
            _FASHION,
            "convolution",
            144,
            filters=width,
        )
        yield Cell(cnn, "adam", SMALL_LENGTH)


def e1_depths() -> Iterator[Cell]:
    """Networks of few layers, and one of many.

    The CNN of two layers wants an octave more than the formula names, and such networks
    ended below their authors' in the field. A term for the depth is taken over if the
    networks here with at most three kernels want at least half an octave more than
    the formula names, on average.
    """
    for depth in (1, 2, 8):
        yield Cell(
            network_of(
                f"mlp-64x{depth}",
                "multilayer_perceptron",
                _FASHION,
                "dense",
                hidden=(64,) * depth,
            ),
            "adam",
            SMALL_LENGTH,
        )
    wide = network_of(
        "mlp-512x1", "multilayer_perceptron", _FASHION, "dense", hidden=(512,)
    )
    yield Cell(wide, "adam", SMALL_LENGTH)
    cnn = network_of(
        "cnn2-32", "two_layer_cnn", _FASHION, "convolution", 144, filters=32
    )
    yield Cell(cnn, "adam", SMALL_LENGTH)
    yield Cell(cnn, "sgd", SMALL_LENGTH)
    yield Cell(SMALL[0], "adam", 1600)

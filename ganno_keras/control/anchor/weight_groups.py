# SPDX-License-Identifier: Apache-2.0
"""The facts of a layer group that an anchor needs: its kind and its size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, Final

Shape = tuple[int, ...]

FLOOR: Final = 0.5
"""The least root mean square of a kernel, times the square root of its fan-in."""
EMBEDDED: Final = 1.0
"""The least root mean square of a fresh embedding."""


@dataclass(frozen=True)
class WeightGroup:
    """The shapes of the variables that share one learning rate.

    Args:
        kind: One of `LAYER_KINDS` in `layer_kinds`.
        shapes: The shapes of the trainable variables, at least one.
        is_low_rank: Whether they are low-rank factors beside frozen weights (LoRA).

    Raises:
        ValueError: There is no variable, or one of them holds no numbers.

    Example:

        >>> dense = WeightGroup("linear", ((784, 64), (64,)))
        >>> dense.num_weights, dense.fan_in, dense.has_kernel
        (50240, 784, True)
    """

    kind: str
    shapes: tuple[Shape, ...]
    is_low_rank: bool = False

    def __post_init__(self) -> None:
        if not self.shapes or self.num_weights == 0:
            raise ValueError(
                f"A group of the kind {self.kind!r} has variables of the shapes "
                f"{self.shapes}: it holds no weights. Build the model first, and leave "
                "layers without trainable weights out."
            )

    @property
    def num_weights(self) -> int:
        """Returns how many numbers the variables hold together."""
        return sum(prod(shape) for shape in self.shapes)

    @property
    def kernel(self) -> Shape | None:
        """Returns the largest variable of two dimensions or more, None without one."""
        kernels = [shape for shape in self.shapes if len(shape) > 1]
        return max(kernels, key=prod) if kernels else None

    @property
    def has_kernel(self) -> bool:
        """Returns whether a variable has two dimensions or more.

        Gains and shifts of a normalisation have none: their size says nothing of the
        step that they can take.
        """
        return self.kernel is not None

    @property
    def fan_in(self) -> int:
        """Returns how many numbers each output of the kernel sums up, 1 without it."""
        if self.kernel is None:
            return 1
        if self.kind == "embedding":
            return self.kernel[-1]
        if self.kind == "attention":  # whose heads are an axis of their own
            return prod(self.kernel) // max(self.kernel[0], self.kernel[-1])
        return prod(self.kernel[:-1])

    @property
    def units(self) -> int:
        """Returns how many outputs the kernel has, 1 without a kernel.

        Gates of a recurrent layer and heads of an attention count together.
        """
        kernels = [shape for shape in self.shapes if len(shape) > 1]
        if self.kernel is None:
            return 1
        if self.kind == "recurrent" and len(kernels) > 1:
            return kernels[1][0]
        if self.kind == "attention":
            return max(self.kernel[0], self.kernel[-1])
        return self.kernel[-1]

    @property
    def floor(self) -> float:
        """Returns the least root mean square that the weights count for.

        A layer that starts at zero would not move at all without one.
        """
        return FLOOR / sqrt(self.fan_in)

    @property
    def fresh_floor(self) -> float:
        """Returns the floor of weights that have not been trained.

        An embedding hands on its numbers as they are, and sums up none. Keras draws
        them within 0.05, where the layer behind it sees next to nothing: they have a
        long way to go, and not a share of where they are. Low-rank factors beside a
        frozen embedding do not.
        """
        is_lifted = self.kind == "embedding" and not self.is_low_rank
        return EMBEDDED if is_lifted else self.floor


def weight_groups(groups: Sequence[Any]) -> tuple[WeightGroup, ...]:
    """Describes layer groups.

    Args:
        groups: Objects with a `kind` and `variables`, as `LayerGroup`.

    Raises:
        ValueError: A group holds no weights.
    """
    return tuple(
        WeightGroup(
            group.kind,
            tuple(tuple(it.shape) for it in group.variables),
            any(_is_low_rank(it) for it in group.variables),
        )
        for group in groups
    )


def _is_low_rank(variable: Any) -> bool:
    """Returns whether a variable has the name that Keras gives low-rank factors."""
    return str(getattr(variable, "name", "")).startswith("lora_")

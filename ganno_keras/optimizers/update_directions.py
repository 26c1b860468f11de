# SPDX-License-Identifier: Apache-2.0
"""The update direction of every optimizer of Keras, read from its state after a step.

The learning rate multiplies the direction. Read from the optimizer's slots, the
direction is exact, needs no copy of the old weights and exists at a rate of 0. Each
function below restates the last line of one optimizer's `update_step` without the rate.

For other optimizers, the direction is the change of the weights divided by the rate.
These are Adafactor, Lamb and Ftrl, whose steps depend on the old weights,
ScheduleFreeAdamW, and optimizers of users.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import ops

Tensor = Any


class LastStep(NamedTuple):
    """The known facts of the last step of one variable.

    Args:
        optimizer: The optimizer that took the step.
        variable_index: Index of the variable in the optimizer.
        number: Number of the step, from 1: `iterations` after the step is counted.
        gradient: Gradient of the variable; some directions do without.
        rate: The learning rate; some directions do without.
    """

    optimizer: Any
    variable_index: int
    number: Tensor
    gradient: Tensor | None = None
    rate: Tensor | None = None

    def slot(self, slots: Any) -> Tensor:
        """Returns the variable's entry in a list of the optimizer, as float32."""
        return ops.cast(slots[self.variable_index], "float32")

    def power(self, base: float, offset: int = 0) -> Tensor:
        """Returns `base ** (number + offset)`, with the number of the step."""
        exponent = ops.cast(self.number, "float32") + offset
        return ops.power(ops.cast(base, "float32"), exponent)


Direction = Callable[[LastStep], Tensor]


def update_direction(optimizer: keras.optimizers.Optimizer) -> Direction | None:
    """Finds the function that gives the direction of an optimizer's last step.

    Args:
        optimizer: Any Keras optimizer.

    Returns:
        A function of the last step; None if the direction has to be computed from the
        change of the weights.
    """
    return next(
        (
            _DIRECTIONS.get(cls)
            for cls in type(optimizer).__mro__
            if cls in _DIRECTIONS or "update_step" in vars(cls)
        ),
        None,
    )


def is_in_state(direction: Direction | None) -> bool:
    """Returns whether a direction needs the state of the optimizer and nothing else.

    Args:
        direction: What `update_direction` gave.
    """
    return direction in (_adam, _adamax)


def _running_means(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Returns the slots of a built optimizer that average the gradients."""
    names = ("_m", "_momentums", "momentums")
    slots: list[keras.Variable] = next(
        getattr(optimizer, name) for name in names if hasattr(optimizer, name)
    )
    return slots


def momentum_before(direction: Direction | None, step: LastStep) -> Tensor | None:
    """Returns the running mean of the gradients before the last step, at some scale.

    It is solved for from the slot after the step.

    Args:
        direction: What `update_direction` gave.
        step: The last step, with its gradient and rate.

    Returns:
        None if the optimizer keeps no such mean, or none that is known here.
    """
    optimizer = step.optimizer
    # A slot is `factor` times the one before and `share` times the gradient.
    if direction is _sgd:
        factor, share = -optimizer.momentum, ops.negative(step.rate)
    elif direction is _lion:
        factor, share = optimizer.beta_2, 1 - optimizer.beta_2
    elif direction is _muon:
        factor, share = optimizer.momentum, 1.0
        if optimizer.adam_velocities[step.variable_index] is not None:
            factor, share = optimizer.adam_beta_1, 1 - optimizer.adam_beta_1
    elif direction in (_adam, _adamax, _nadam):
        factor, share = optimizer.beta_1, 1 - optimizer.beta_1
    else:
        return None
    if not factor:
        return None
    return (step.slot(_running_means(optimizer)) - share * step.gradient) / factor


def holds_rate_in_state(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether a step at rate 0 moves the weights or corrupts the state.

    It does if past rates are part of the state: the momentum of SGD and RMSprop, the
    averaged weights of ScheduleFreeAdamW. It also does if the rate is a divisor (Ftrl).
    Optimizers that Keras does not define are assumed to behave like these.

    Args:
        optimizer: Any Keras optimizer.
    """
    if getattr(optimizer, "momentum", 0) and isinstance(
        optimizer, (keras.optimizers.SGD, keras.optimizers.RMSprop)
    ):
        return True
    scaled_by_rate = (keras.optimizers.Adafactor, keras.optimizers.Lamb)
    return update_direction(optimizer) is None and not isinstance(
        optimizer, scaled_by_rate
    )


def _adam_direction(
    step: LastStep, betas: tuple[float, float], momentum: Tensor, velocity: Tensor
) -> Tensor:
    scale = ops.sqrt(1 - step.power(betas[1])) / (1 - step.power(betas[0]))
    return scale * momentum / (ops.sqrt(velocity) + step.optimizer.epsilon)


def _adam(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    velocities = (
        optimizer._velocity_hats if optimizer.amsgrad else optimizer._velocities
    )
    return _adam_direction(
        step,
        (optimizer.beta_1, optimizer.beta_2),
        step.slot(optimizer._momentums),
        step.slot(velocities),
    )


def _adamax(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    norm = step.slot(optimizer._u) + optimizer.epsilon
    return step.slot(optimizer._m) / ((1 - step.power(optimizer.beta_1)) * norm)


def _nadam(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    now = optimizer.beta_1 * (1 - 0.5 * step.power(0.96))
    following = optimizer.beta_1 * (1 - 0.5 * step.power(0.96, offset=1))
    product = ops.cast(optimizer._u_product, "float32")
    momentum = following * step.slot(optimizer._momentums) / (
        1 - product * following
    ) + (1 - now) * step.gradient / (1 - product)
    velocity = step.slot(optimizer._velocities) / (1 - step.power(optimizer.beta_2))
    return momentum / (ops.sqrt(velocity) + optimizer.epsilon)


def _sgd(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    if optimizer.momentum == 0:
        return step.gradient
    momentum = step.slot(optimizer.momentums) / step.rate
    if optimizer.nesterov:
        return step.gradient - optimizer.momentum * momentum
    return -momentum


def _rmsprop(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    if optimizer.momentum > 0:
        return step.slot(optimizer._momentums) / step.rate
    mean_square = step.slot(optimizer._velocities)
    if optimizer.centered:
        mean_square = mean_square - ops.square(step.slot(optimizer._average_gradients))
    return step.gradient / ops.sqrt(mean_square + optimizer.epsilon)


def _adagrad(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    return step.gradient / ops.sqrt(
        step.slot(optimizer._accumulators) + optimizer.epsilon
    )


def _adadelta(step: LastStep) -> Tensor:
    # The step used the mean square of the changes before its own change entered it.
    # So new = rho * old + (1 - rho) * (old + epsilon) * ratio is solved for
    # old + epsilon.
    optimizer = step.optimizer
    rho, epsilon = optimizer.rho, optimizer.epsilon
    ratio = ops.square(step.gradient) / (
        step.slot(optimizer._accumulated_grads) + epsilon
    )
    new = step.slot(optimizer._accumulated_delta_vars)
    before = (new + rho * epsilon) / (rho + (1 - rho) * ratio)
    return ops.sign(step.gradient) * ops.sqrt(before * ratio)


def _lion(step: LastStep) -> Tensor:
    optimizer, gradient = step.optimizer, step.gradient
    new = step.slot(optimizer._momentums)
    before = (new - gradient * (1 - optimizer.beta_2)) / optimizer.beta_2
    return ops.sign(before * optimizer.beta_1 + gradient * (1 - optimizer.beta_1))


def _muon(step: LastStep) -> Tensor:
    optimizer = step.optimizer
    momentum = step.slot(optimizer.momentums)
    if optimizer.adam_velocities[step.variable_index] is not None:
        betas = (optimizer.adam_beta_1, optimizer.adam_beta_2)
        velocity = step.slot(optimizer.adam_velocities)
        return optimizer.adam_lr_ratio * _adam_direction(
            step, betas, momentum, velocity
        )
    if optimizer.nesterov:
        momentum = step.gradient + optimizer.momentum * momentum
    # Keras multiplies by a number of its own default type.
    direction = ops.cast(
        optimizer.zeropower_via_newtonschulz5(momentum, optimizer.ns_steps),
        keras.config.floatx(),
    )
    return ops.cast(optimizer.lr_adjust(direction), "float32")


# By the class that defines `update_step`.
_DIRECTIONS: dict[type, Direction] = {
    getattr(keras.optimizers, name): direction
    for name, direction in {
        "SGD": _sgd,
        "RMSprop": _rmsprop,
        "Adam": _adam,
        "Adamax": _adamax,
        "Nadam": _nadam,
        "Adagrad": _adagrad,
        "Adadelta": _adadelta,
        "Lion": _lion,
        "Muon": _muon,
    }.items()
    if hasattr(keras.optimizers, name)
}

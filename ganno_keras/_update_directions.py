# SPDX-License-Identifier: Apache-2.0
"""The update direction of every optimizer of Keras, read from its state after a step.

The direction is what the learning rate multiplies. Read from the optimizer's slots it
is exact, needs no copy of the old weights and exists at a rate of 0. Each function
below restates the last line of one optimizer's `update_step` without the rate.

Optimizers that are not listed (Adafactor, Lamb and Ftrl, whose steps depend on the old
weights, ScheduleFreeAdamW, and those of users) get the change of the weights divided by
the rate.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

Tensor = Any
Direction = Callable[[Any, int, Tensor, Tensor], Tensor]


def update_direction(optimizer: keras.optimizers.Optimizer) -> Direction | None:
    """Finds the function that gives the direction of an optimizer's last step.

    Args:
        optimizer: Any Keras optimizer.

    Returns:
        A function of (optimizer, index of the variable, gradient, rate), evaluated
        between the step and the count of `iterations`; None when the direction has to
        be taken from the change of the weights.
    """
    return next(
        (
            _DIRECTIONS.get(cls)
            for cls in type(optimizer).__mro__
            if cls in _DIRECTIONS or "update_step" in vars(cls)
        ),
        None,
    )


def holds_rate_in_state(optimizer: keras.optimizers.Optimizer) -> bool:
    """Whether a step at rate 0 still moves the weights, or spoils the state.

    So it is when past rates are part of the state (momentum of SGD and RMSprop, the
    averaged weights of ScheduleFreeAdamW), and when the rate is a divisor (Ftrl).
    Optimizers that Keras does not define are taken to be of that sort.

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


def _power(base: float, exponent: Tensor) -> Tensor:
    return ops.power(ops.cast(base, "float32"), exponent)


def _step(optimizer: Any) -> Tensor:
    return ops.cast(optimizer.iterations + 1, "float32")


def _slot(slots: Any, index: int) -> Tensor:
    return ops.cast(slots[index], "float32")


def _adam_direction(
    optimizer: Any, betas: tuple[float, float], momentum: Tensor, velocity: Tensor
) -> Tensor:
    step = _step(optimizer)
    scale = ops.sqrt(1 - _power(betas[1], step)) / (1 - _power(betas[0], step))
    return scale * momentum / (ops.sqrt(velocity) + optimizer.epsilon)


def _adam(optimizer: Any, index: int, _gradient: Tensor, _rate: Tensor) -> Tensor:
    velocities = (
        optimizer._velocity_hats if optimizer.amsgrad else optimizer._velocities
    )
    return _adam_direction(
        optimizer,
        (optimizer.beta_1, optimizer.beta_2),
        _slot(optimizer._momentums, index),
        _slot(velocities, index),
    )


def _adamax(optimizer: Any, index: int, _gradient: Tensor, _rate: Tensor) -> Tensor:
    correction = 1 - _power(optimizer.beta_1, _step(optimizer))
    norm = _slot(optimizer._u, index) + optimizer.epsilon
    return _slot(optimizer._m, index) / (correction * norm)


def _nadam(optimizer: Any, index: int, gradient: Tensor, _rate: Tensor) -> Tensor:
    step = _step(optimizer)
    now = optimizer.beta_1 * (1 - 0.5 * _power(0.96, step))
    following = optimizer.beta_1 * (1 - 0.5 * _power(0.96, step + 1))
    product = ops.cast(optimizer._u_product, "float32")
    momentum = following * _slot(optimizer._momentums, index) / (
        1 - product * following
    ) + (1 - now) * gradient / (1 - product)
    velocity = _slot(optimizer._velocities, index) / (
        1 - _power(optimizer.beta_2, step)
    )
    return momentum / (ops.sqrt(velocity) + optimizer.epsilon)


def _sgd(optimizer: Any, index: int, gradient: Tensor, rate: Tensor) -> Tensor:
    if optimizer.momentum == 0:
        return gradient
    momentum = _slot(optimizer.momentums, index) / rate
    if optimizer.nesterov:
        return gradient - optimizer.momentum * momentum
    return -momentum


def _rmsprop(optimizer: Any, index: int, gradient: Tensor, rate: Tensor) -> Tensor:
    if optimizer.momentum > 0:
        return _slot(optimizer._momentums, index) / rate
    mean_square = _slot(optimizer._velocities, index)
    if optimizer.centered:
        mean = _slot(optimizer._average_gradients, index)
        mean_square = mean_square - ops.square(mean)
    return gradient / ops.sqrt(mean_square + optimizer.epsilon)


def _adagrad(optimizer: Any, index: int, gradient: Tensor, _rate: Tensor) -> Tensor:
    return gradient / ops.sqrt(
        _slot(optimizer._accumulators, index) + optimizer.epsilon
    )


def _adadelta(optimizer: Any, index: int, gradient: Tensor, _rate: Tensor) -> Tensor:
    # The step used the mean square of the changes before its own change entered it:
    # new = rho * old + (1 - rho) * (old + epsilon) * ratio, solved for old + epsilon.
    rho, epsilon = optimizer.rho, optimizer.epsilon
    ratio = ops.square(gradient) / (
        _slot(optimizer._accumulated_grads, index) + epsilon
    )
    new = _slot(optimizer._accumulated_delta_vars, index)
    before = (new + rho * epsilon) / (rho + (1 - rho) * ratio)
    return ops.sign(gradient) * ops.sqrt(before * ratio)


def _lion(optimizer: Any, index: int, gradient: Tensor, _rate: Tensor) -> Tensor:
    new = _slot(optimizer._momentums, index)
    before = (new - gradient * (1 - optimizer.beta_2)) / optimizer.beta_2
    return ops.sign(before * optimizer.beta_1 + gradient * (1 - optimizer.beta_1))


def _muon(optimizer: Any, index: int, gradient: Tensor, _rate: Tensor) -> Tensor:
    momentum = _slot(optimizer.momentums, index)
    if optimizer.adam_velocities[index] is not None:
        betas = (optimizer.adam_beta_1, optimizer.adam_beta_2)
        velocity = _slot(optimizer.adam_velocities, index)
        return optimizer.adam_lr_ratio * _adam_direction(
            optimizer, betas, momentum, velocity
        )
    if optimizer.nesterov:
        momentum = gradient + optimizer.momentum * momentum
    return optimizer.lr_adjust(
        optimizer.zeropower_via_newtonschulz5(momentum, optimizer.ns_steps)
    )


# By the class that defines `update_step`; None: from the change of the weights.
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

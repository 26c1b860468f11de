# SPDX-License-Identifier: Apache-2.0
"""Operations for which Keras has no common name on its backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

BACKEND: str = keras.backend.backend()
if BACKEND == "tensorflow":
    import tensorflow as tf
elif BACKEND == "jax":
    _Traced: Any = import_module("jax.core").Tracer

Tensor = Any
# The base of mixins that stand before an optimizer's class. It defines nothing. A type
# checker cannot see into Keras, so for it the base may have any attribute.
OptimizerMixin: Any = object


def dense(value: Tensor) -> Tensor:
    """Converts a value to a dense tensor; repeated rows of a sparse gradient add up.

    Args:
        value: A tensor, a variable, or the sparse gradient of an embedding.
    """
    if BACKEND == "tensorflow":
        return tf.convert_to_tensor(value)
    return ops.convert_to_tensor(value, sparse=False)


def is_sparse(value: Tensor) -> bool:
    """Returns whether a value is the sparse gradient of an embedding."""
    return BACKEND == "tensorflow" and isinstance(value, tf.IndexedSlices)


def choose(condition: Tensor, value: Tensor, otherwise: Tensor) -> Tensor:
    """Returns one value if a scalar condition holds, and another one otherwise.

    The first value is passed on bit for bit; if it is sparse, so is the result.

    Args:
        condition: A boolean scalar.
        value: A tensor, a variable or a sparse gradient.
        otherwise: A dense tensor of the shape of `value`, or a scalar.
    """
    if is_sparse(value):
        rows = tf.gather(otherwise, value.indices) if ops.ndim(otherwise) else otherwise
        chosen = tf.where(condition, value.values, tf.cast(rows, value.dtype))
        return tf.IndexedSlices(chosen, value.indices, value.dense_shape)
    value = dense(value)
    return ops.where(condition, value, ops.cast(otherwise, value.dtype))


def seldom(condition: Tensor, function: Callable[[], Tensor], otherwise: Tensor) -> Any:
    """Returns the result of a function if a condition holds, and a value otherwise.

    It is meant for functions of many tensors that run once in many steps. With
    `ops.cond`, TensorFlow would pass each of these tensors through a switch at every
    step. Here it calls one of two functions, and the other one does not run.

    Args:
        condition: A boolean scalar.
        function: A function without arguments, whose result is like `otherwise`.
        otherwise: A tensor.
    """
    if BACKEND != "tensorflow" or tf.executing_eagerly() or has_replicas():
        return ops.cond(condition, function, lambda: otherwise)

    @tf.function(autograph=False, input_signature=[_like(otherwise)])
    def call(value: Tensor) -> Tensor:
        del value  # only the other branch returns it
        return function()

    called = call.get_concrete_function()
    inputs = [otherwise, *called.captured_inputs]

    @tf.function(autograph=False, input_signature=[_like(it) for it in inputs])
    def leave(value: Tensor, *captured: Tensor) -> Tensor:
        del captured
        return value

    (result,) = tf.raw_ops.If(
        cond=condition,
        input=inputs,
        Tout=[otherwise.dtype],
        then_branch=called,
        else_branch=leave.get_concrete_function(),
        output_shapes=[otherwise.shape],
    )
    return result


def _like(tensor: Tensor) -> Any:
    return tf.TensorSpec(tensor.shape, tensor.dtype)


def is_of_one_device(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether no `tf.distribute` strategy copies an optimizer's variables."""
    strategy = getattr(optimizer, "_distribution_strategy", None)
    return strategy is None or strategy.num_replicas_in_sync == 1


def compiled(function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Compiles a function of variables alone, on TensorFlow; elsewhere it stays."""
    if BACKEND != "tensorflow":
        return function
    graph: Callable[[], Tensor] = tf.function(function, autograph=False)
    return graph


def has_replicas() -> bool:
    """Returns whether the calling code runs under a `tf.distribute` strategy."""
    return BACKEND == "tensorflow" and bool(tf.distribute.has_strategy())


def is_known(tensor: Tensor) -> bool:
    """Returns whether a tensor has a value now, and is not only traced by JAX.

    Args:
        tensor: A tensor of the backend.
    """
    return BACKEND != "jax" or not isinstance(tensor, _Traced)


def is_traced(variable: keras.Variable) -> bool:
    """Returns whether a step is being traced now, in which variables have no values."""
    if BACKEND == "tensorflow":
        return not tf.executing_eagerly()
    return not is_known(variable.value)


def assign_array(variable: keras.Variable, values: npt.ArrayLike) -> None:
    """Assigns numbers on the host, on TensorFlow in half the time of `assign`.

    Args:
        variable: Of any type.
        values: Of the shape of the variable, which is not checked.
    """
    if BACKEND == "tensorflow":
        held = variable.value
        array = np.asarray(values, held.dtype.as_numpy_dtype)
        held.assign(array, read_value=False)
    else:
        variable.assign(values)


def read_array(variable: keras.Variable) -> np.ndarray:
    """Returns a copy of a variable's values, on TensorFlow in half the usual time."""
    if BACKEND == "tensorflow":
        return np.array(variable.value.numpy())
    return np.array(ops.convert_to_numpy(variable))


def to_host(value: Any) -> np.ndarray:
    """Returns a value as a NumPy array, in float32 if it is shorter.

    NumPy and TensorFlow do not agree on single numbers of the type bfloat16.
    """
    is_variable = isinstance(value, keras.Variable)
    if not is_variable and not ops.is_tensor(value):
        return np.asarray(value)
    if keras.backend.standardize_dtype(value.dtype) in ("bfloat16", "float16"):
        value = ops.cast(value, "float32")
    elif is_variable:
        return read_array(value)
    return np.asarray(ops.convert_to_numpy(value))


def values_on_host(variables: Sequence[keras.Variable]) -> Sequence[Tensor]:
    """Returns the current values of variables in host memory, safe from later updates.

    On TensorFlow they are tensors, which may share memory with a variable until it
    changes. Elsewhere they are copies in NumPy arrays, since JAX donates the memory of
    variables and PyTorch overwrites it.

    Args:
        variables: At least one, of any shapes and types.
    """
    values = [variable.value for variable in variables]
    if BACKEND != "tensorflow":
        return [ops.convert_to_numpy(value) for value in values]
    with tf.device("CPU:0"):
        # One operation, because reading many small variables one by one is far slower.
        copies: Sequence[Tensor] = tf.identity_n(values)
    return copies


def unconverted(function: Callable[..., Any]) -> Callable[..., Any]:
    """Excludes a function from AutoGraph, which would only slow down tracing.

    Args:
        function: A function without Python control flow over tensors.
    """
    if BACKEND != "tensorflow":
        return function
    wrapped: Callable[..., Any] = tf.autograph.experimental.do_not_convert(function)
    return wrapped


def variable_scope(
    optimizer: keras.optimizers.Optimizer,
) -> AbstractContextManager[Any]:
    """Returns the scope in which to create variables beside those of an optimizer.

    Args:
        optimizer: The optimizer that will read the variables.
    """
    strategy = getattr(optimizer, "_distribution_strategy", None)
    if strategy is None or tf.distribute.get_strategy() is strategy:
        return nullcontext()
    scope: AbstractContextManager[Any] = strategy.scope()
    return scope


def new_variable(
    name: str, shape: list[int], value: Any, dtype: str | None = None
) -> keras.Variable:
    """Makes a variable for an optimizer, in `variable_scope`.

    Args:
        name: The name of the variable.
        shape: The shape of the variable.
        value: What it holds at first: a number, or an array of that shape.
        dtype: By default float32, or float64 where Keras computes with that.
    """
    if np.ndim(value):
        check_shape(name, shape, value)
    # The value is given as initializer: an assignment would be lost when the optimizer
    # is built inside the first, discarded trace of a tf.function. Keras' own `Constant`
    # multiplies, which TensorFlow below 2.21 cannot do with a boolean.
    return keras.Variable(
        lambda shape, dtype: ops.convert_to_tensor(np.full(shape, value), dtype),
        shape=shape,
        dtype=dtype or ("float64" if keras.config.floatx() == "float64" else "float32"),
        trainable=False,
        aggregation="only_first_replica",
        name=name,
    )


def check_shape(name: str, shape: Sequence[int], array: np.ndarray) -> None:
    """Refuses saved values of another number of groups.

    Raises:
        ValueError: If the shape is not that of the array.
    """
    if tuple(shape) != array.shape:
        raise ValueError(
            f"Received saved {name} of shape {array.shape}, while the layer groups of "
            f"this optimizer take {tuple(shape)}. Load a file that was saved with the "
            "same layer groups."
        )


def has_own_schedule(optimizer: keras.optimizers.Optimizer) -> bool:
    """Returns whether its learning rate is a schedule or a function, not a number."""
    return not isinstance(optimizer._learning_rate, keras.Variable)


def compiled_values(optimizer: keras.optimizers.Optimizer) -> tuple[float, float]:
    """Reads the learning rate and the weight decay (0 without) of an optimizer.

    The rate is returned as it was written: 0.001, not the float32 nearest to it. Of a
    schedule it is the rate of the coming update.
    """
    rate = float(str(to_host(own_rate(optimizer))))
    return rate, float(optimizer.weight_decay or 0.0)


def batches_per_update(optimizer: keras.optimizers.Optimizer) -> int:
    """Returns how many batches an innermost optimizer gathers for one update."""
    return int(optimizer.gradient_accumulation_steps or 1)


def own_rate(optimizer: keras.optimizers.Optimizer) -> Any:
    """Returns the rate that a plain optimizer has now, of a schedule its value now."""
    own = optimizer._learning_rate
    if isinstance(own, keras.optimizers.schedules.LearningRateSchedule):
        return own(optimizer._iterations)
    return own() if has_own_schedule(optimizer) else own

# SPDX-License-Identifier: Apache-2.0
"""Operations for which Keras has no common name on its backends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

import keras
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


def compiled(function: Callable[[], Tensor]) -> Callable[[], Tensor]:
    """Compiles a function to a graph on TensorFlow, at its first call.

    Args:
        function: A function of many small operations, without arguments.
    """
    if BACKEND != "tensorflow":
        return function
    graph: Callable[[], Tensor] = tf.function(function, autograph=False)
    return graph


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


def after(value: Tensor) -> AbstractContextManager[Any]:
    """Returns a context in which TensorFlow waits for a value, dense or sparse.

    Args:
        value: A tensor or a sparse gradient.
    """
    context: AbstractContextManager[Any] = tf.control_dependencies([value])
    return context


def _like(tensor: Tensor) -> Any:
    return tf.TensorSpec(tensor.shape, tensor.dtype)


def has_replicas() -> bool:
    """Returns whether the calling code runs under a `tf.distribute` strategy."""
    return BACKEND == "tensorflow" and bool(tf.distribute.has_strategy())


def is_known(tensor: Tensor) -> bool:
    """Returns whether a tensor has a value now, and is not only traced by JAX.

    Args:
        tensor: A tensor of the backend.
    """
    return BACKEND != "jax" or not isinstance(tensor, _Traced)


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

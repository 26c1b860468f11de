# SPDX-License-Identifier: Apache-2.0
"""Files in the form of Celo-Adam's published weights, with random numbers in them."""

from __future__ import annotations

import struct

import numpy as np

SHAPES = {
    "lstm_init_state": {"hidden": (1, 64), "cell": (1, 64)},
    "rnn_params": {
        "linear": {"b": (64,), "w": (18, 64)},
        "linear_1": {"b": (64,), "w": (18, 64)},
        "linear_2": {"b": (64,), "w": (18, 64)},
        "rnn/linear": {"b": (256,), "w": (128, 256)},
        "step_size": {"b": (1,), "w": (64, 1)},
    },
}


def celo_tree(seed, shapes=SHAPES, scale=0.1):
    """Random arrays; the rate comes out near 1e-4 * e^2."""
    random = np.random.default_rng(seed)

    def fill(shape, name=""):
        if isinstance(shape, dict):
            return {key: fill(value, key) for key, value in shape.items()}
        array = (scale * random.normal(size=shape)).astype(np.float32)
        return array + np.float32(2.0) if shape == (1,) else array

    return fill(shapes)


def celo_file(seed):
    """The bytes that Flax would write of a random tree."""
    return packed(celo_tree(seed))


def packed(value):
    """MessagePack of dictionaries, strings, small numbers and arrays."""
    if isinstance(value, dict):
        items = b"".join(packed(k) + packed(v) for k, v in value.items())
        return bytes([0x80 | len(value)]) + items
    if isinstance(value, str):
        return bytes([0xA0 | len(value)]) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    if isinstance(value, int):
        return bytes([value]) if value < 0x80 else b"\xcd" + struct.pack(">H", value)
    if isinstance(value, tuple):
        return bytes([0x90 | len(value)]) + b"".join(map(packed, value))
    content = packed((value.shape, str(value.dtype), value.tobytes()))
    return b"\xc9" + struct.pack(">I", len(content)) + b"\x01" + content

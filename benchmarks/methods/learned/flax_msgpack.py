# SPDX-License-Identifier: Apache-2.0
"""Reads trees of arrays that Flax has serialised, without Flax.

It reads only what Flax writes for such trees: maps, strings and arrays. Arrays are
MessagePack extensions of type 1 with shape, type and bytes.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np

ARRAY: Final = 1
"""Flax's number for its extension."""

SIZES: Final = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xC7: ">B", 0xC8: ">H", 0xC9: ">I"}
INTEGERS: Final = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I"}
STRINGS: Final = {0xD9: ">B", 0xDA: ">H"}


def read_arrays(content: bytes) -> dict[str, Any]:
    """Reads a tree: dictionaries of dictionaries of arrays.

    Args:
        content: The bytes of the file.

    Raises:
        ValueError: If the bytes are not such a tree.

    Example:

        >>> read_arrays(bytes([0x81, 0xA1, 0x61, 0x05]))
        {'a': 5}
    """
    try:
        tree = _Reader(content).value()
    except (IndexError, struct.error, TypeError) as error:
        raise ValueError(f"The file is no tree of arrays: {error!r}.") from error
    if not isinstance(tree, dict):
        raise ValueError(f"The file holds {type(tree).__name__}, not a tree of arrays.")
    return tree


class _Reader:
    """A reader that goes through the bytes."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    def value(self) -> Any:
        code = self._number(">B")
        if code < 0x80:
            return code
        if code < 0x90:
            return {self.value(): self.value() for _ in range(code & 0x0F)}
        if code < 0xA0:
            return [self.value() for _ in range(code & 0x0F)]
        if code < 0xC0:
            return self._take(code & 0x1F).decode()
        return self._long_value(code)

    def _long_value(self, code: int) -> Any:
        if code in INTEGERS:
            return self._number(INTEGERS[code])
        if code in STRINGS:
            return self._take(self._number(STRINGS[code])).decode()
        if code not in SIZES:
            raise ValueError(f"Byte 0x{code:02X} is none that Flax writes for arrays.")
        size = self._number(SIZES[code])
        if code < 0xC7:
            return self._take(size)
        return self._array(size)

    def _array(self, size: int) -> np.ndarray:
        kind = self._number(">B")
        if kind != ARRAY:
            raise ValueError(f"Extension {kind} is no array: those are {ARRAY}.")
        shape, dtype, data = _Reader(self._take(size)).value()
        return np.frombuffer(data, dtype).reshape(shape)

    def _number(self, form: str) -> int:
        (number,) = struct.unpack(form, self._take(struct.calcsize(form)))
        return int(number)

    def _take(self, size: int) -> bytes:
        taken = self._content[self._place : self._place + size]
        if len(taken) < size:
            raise ValueError("The file ends too early.")
        self._place += size
        return taken

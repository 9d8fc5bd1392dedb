"""Unpickling that can build plain values and arrays of numbers, and run nothing.

A pickle is a program: it names functions and calls them. Here each name that numpy's own pickles
use stands for one of the functions and classes below, which only keep what they are given, and
every other name is refused. numpy's real functions are not reachable either: `dtype` and
`ndarray` trust a pickled state and can be made to read outside their memory.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from typing import Any, BinaryIO, ClassVar

import numpy as np
from numpy.typing import NDArray

_KINDS = frozenset(("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"))
_MODULES = ("numpy.core.multiarray", "numpy._core.multiarray")  # numpy 1 and numpy 2


class Refused(pickle.UnpicklingError):
    """The pickle asks for something else than plain values and arrays; says for what."""


class InertType:
    """The kind of a number, 'f2' for instance, or 'O8' for lists of objects."""

    def __init__(self, kind: str, *_: object) -> None:
        if kind not in _KINDS and kind not in ("O8", "O"):
            raise Refused(f"arrays of type {str(kind)[:40]!r}")
        self.kind = kind
        self.order = "<"

    def restore(self, state: Any) -> None:
        """numpy's state of a plain type: (version, byte order, then nothing but defaults)."""
        if not isinstance(state, tuple) or len(state) < 5 or state[1] not in ("<", "|", "="):
            raise Refused("arrays in another byte order")
        if any(field is not None for field in state[2:5]):
            raise Refused("arrays with fields")


class InertArray:
    """What a pickled array says of itself; becomes numbers only when asked, and checked then."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()
        self.type: InertType | None = None
        self.fortran = False
        self.content: Any = None

    def restore(self, state: Any) -> None:
        """numpy's state of an array: (version, shape, type, Fortran order, bytes or list)."""
        if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], InertType):
            raise Refused("an array in an unknown form")
        _, self.shape, self.type, self.fortran, self.content = state

    def only(self) -> Any:
        """The one object of an array of shape (); None when it is something else."""
        single = self.shape == () and isinstance(self.content, list) and len(self.content) == 1
        return self.content[0] if single else None

    def numbers(self) -> NDArray[Any] | None:
        """The array, or None when it does not hold numbers or its bytes do not fit its shape."""
        if self.type is None or self.type.kind not in _KINDS or not isinstance(self.content, bytes):
            return None
        dtype = np.dtype("<" + self.type.kind)
        plain = isinstance(self.shape, tuple) and all(type(side) is int for side in self.shape)
        if not plain or math.prod(self.shape) * dtype.itemsize != len(self.content):
            return None
        flat = np.frombuffer(self.content, dtype=dtype)
        return flat.reshape(self.shape, order="F" if self.fortran else "C")


def _array(*_: object) -> InertArray:
    """Stands for numpy's _reconstruct, whose arguments only describe an empty array."""
    return InertArray()


def _scalar(kind: object, content: object = None) -> object:
    """Stands for numpy's scalar: kept as an array of shape ()."""
    array = InertArray()
    array.restore((1, (), kind, False, content))
    return array


def _latin1(text: object, encoding: object = "latin1") -> bytes:
    """Stands for _codecs.encode, by which old pickles keep bytes."""
    if not isinstance(text, str) or encoding != "latin1":
        raise Refused("text in an unknown form")
    return text.encode("latin1")


_STAND_INS: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): InertArray,
    ("numpy", "dtype"): InertType,
    ("_codecs", "encode"): _latin1,
    **{(module, "_reconstruct"): _array for module in _MODULES},
    **{(module, "scalar"): _scalar for module in _MODULES},
}


# The one written in Python: the compiled one reserves memory by numbers that the file gives.
class _Inert(pickle._Unpickler):
    """Knows the stand-ins and nothing else, calls nothing else, changes nothing else."""

    stack: list[Any]
    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = dict(pickle._Unpickler.dispatch)

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _STAND_INS[module, name]
        except KeyError:
            raise Refused(f"it asks for {module}.{name}: refused") from None

    def get_extension(self, code: int) -> None:
        raise Refused(f"it asks for the extension {code}: refused")

    def reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if not any(function is known for known in _STAND_INS.values()):
            raise Refused("it calls what is no function of numpy: refused")
        self.stack[-1] = function(*arguments)

    def build(self) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if not isinstance(target, (InertArray, InertType)):
            raise Refused("it changes what is no array: refused")
        target.restore(state)

    def refuse(self) -> None:
        raise Refused("it builds objects of its own: refused")

    dispatch[pickle.REDUCE[0]] = reduce
    dispatch[pickle.BUILD[0]] = build
    for _code in (pickle.INST, pickle.OBJ, pickle.NEWOBJ, pickle.NEWOBJ_EX, pickle.BYTEARRAY8):
        dispatch[_code[0]] = refuse


def unpickled(file: BinaryIO) -> Any:
    """The value in a pickle: None, numbers, text, bytes, lists, tuples, dicts, InertArray.

    Raises Refused for a pickle that asks for anything else, and whatever the pickle machine
    raises for damage.
    """
    return _Inert(file).load()

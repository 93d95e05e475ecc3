"""Numbers of packed texts: a hash table in arrays, which is probed for thousands of texts at once."""

from __future__ import annotations

import secrets
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rollcall.ledger.columns import Int64s
from rollcall.ledger.words import Bytes

_Hashes: TypeAlias = NDArray[np.uint64]
# A row per text: its bytes eight at a time, with zeros after its end.
_Blocks: TypeAlias = NDArray[np.uint64]

# Random, so that no sender can choose texts that collide.
_SALT: Final = np.uint64(secrets.randbits(64))
_FACTOR: Final = np.uint64(0x9E3779B97F4A7C15)
_HALF: Final = np.uint64(32)
_BLOCK: Final = 8
_GROWTH: Final = 2
_RESTORED_AT_ONCE: Final = 16_384


class PackedNumbers:
    """Numbers texts of equal width (`rollcall.ledger.words.Words.packed`).

    A text lies in the first free slot from its hash on, as in any table with linear probing. At most
    half of the slots are used. Texts are kept and compared as integers, several times as fast as bytes.
    """

    def __init__(self) -> None:
        self._count = 0
        self._texts: _Blocks = np.zeros((1024, 1), dtype=np.uint64)
        self._numbers = np.zeros(1024, dtype=np.int32)
        # The place of a text in both arrays, from 1; 0 is free.
        self._slots = np.zeros(2048, dtype=np.int32)

    def numbers(self, texts: Bytes, used: int) -> Int64s:
        """The numbers of texts; those that are new get the numbers after `used`."""
        if not len(texts):
            return np.zeros(0, dtype=np.int64)
        self._reserve(texts)
        before = self._count
        places = self._placed(_blocks(texts, self._texts.shape[1]))
        new = slice(before, self._count)
        self._numbers[new] = np.arange(used + 1, used + 1 + self._count - before)
        return self._numbers[places - 1].astype(np.int64)

    def text(self, number: int) -> str:
        """The text of a number. Raises KeyError if no text has it."""
        for place in np.flatnonzero(self._numbers[: self._count] == number).tolist():
            text: bytes = self._texts[place].tobytes().rstrip(b"\0")
            return text.decode("ascii")
        raise KeyError(number)

    def _placed(self, texts: _Blocks) -> Int64s:
        """The place of each text; texts that are new are added."""
        places = np.zeros(len(texts), dtype=np.int64)
        left = np.arange(len(texts))
        slots = self._slot_of(_hashes(texts))
        while len(left):
            found = self._slots[slots]
            free = np.flatnonzero(found == 0)
            if len(free):
                self._add(texts, left[free], slots[free])
                found[free] = self._slots[slots[free]]
            places[left] = found  # where texts differ, a later pass has the place
            asked = texts if len(left) == len(texts) else texts.take(left, axis=0)
            unequal = np.flatnonzero(_differ(self._texts.take(found - 1, axis=0), asked))
            left = left[unequal]
            slots = (slots[unequal] + 1) & (len(self._slots) - 1)
        return places

    def _add(self, texts: _Blocks, claiming: Int64s, at: Int64s) -> None:
        """Add those of some texts that are alone, or the last, to claim a free slot."""
        self._slots[at] = claiming
        is_last = self._slots[at] == claiming
        added = claiming[is_last]
        until = self._count + len(added)
        self._texts[self._count : until] = texts.take(added, axis=0)
        self._slots[at[is_last]] = np.arange(self._count + 1, until + 1)
        self._count = until

    def _slot_of(self, hashes: _Hashes) -> Int64s:
        slots: Int64s = (hashes & np.uint64(len(self._slots) - 1)).astype(np.int64)
        return slots

    def _reserve(self, texts: Bytes) -> None:
        """Make room for texts, all of which may be new."""
        wider = -(-texts.itemsize // _BLOCK) - self._texts.shape[1]
        if wider > 0:
            self._texts = np.pad(self._texts, ((0, 0), (0, wider)))
        needed = self._count + len(texts)
        if needed <= len(self._texts):
            return
        size = len(self._texts)
        while size < needed:
            size *= _GROWTH
        self._slots = np.zeros(0, dtype=np.int32)  # freed before its successor is made
        self._numbers = _grown(self._numbers, self._count, size)
        self._texts = _grown(self._texts, self._count, size)
        self._slots = np.zeros(2 * size, dtype=np.int32)
        for first in range(0, self._count, _RESTORED_AT_ONCE):
            self._restore(first, min(self._count, first + _RESTORED_AT_ONCE))

    def _restore(self, first: int, end: int) -> None:
        """Put the places of some texts into slots."""
        left = np.arange(first + 1, end + 1)
        slots = self._slot_of(_hashes(self._texts[first:end]))
        while len(left):
            free = self._slots[slots] == 0
            self._slots[slots[free]] = left[free]
            is_left = self._slots[slots] != left
            left = left[is_left]
            slots = (slots[is_left] + 1) & (len(self._slots) - 1)


def _grown(array: NDArray[Any], used: int, size: int) -> NDArray[Any]:
    """A longer array with the first elements of another."""
    longer = np.zeros((size, *array.shape[1:]), dtype=array.dtype)
    longer[:used] = array[:used]
    return longer


def _blocks(texts: Bytes, count: int) -> _Blocks:
    """The bytes of texts as integers, `count` of each text."""
    return texts.astype(f"S{count * _BLOCK}").view("<u8").reshape(len(texts), count)


def _differ(some: _Blocks, others: _Blocks) -> NDArray[np.bool_]:
    """Whether each text differs from that in the same row of `others`."""
    differ: NDArray[np.bool_] = some[:, 0] != others[:, 0]
    for one, other in zip(some.T[1:], others.T[1:], strict=True):
        differ |= one != other
    return differ


def _hashes(texts: _Blocks) -> _Hashes:
    """A hash of each text, which does not depend on their width."""
    first, *others = texts.T
    hashes = _mixed(np.full(len(texts), _SALT), first)
    for block in others:
        hashes = np.where(block == 0, hashes, _mixed(hashes, block))
    return hashes


def _mixed(hashes: _Hashes, block: NDArray[np.uint64]) -> _Hashes:
    mixed = hashes ^ block
    mixed *= _FACTOR
    mixed ^= mixed >> _HALF
    return mixed

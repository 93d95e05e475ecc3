"""Chunks: the selected rows of several pages, with columns as if they were of one page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from rollcall.ledger.columns import Int32s, Int64s
from rollcall.ledger.words import Bytes, Uuids, Words
from rollcall.query.filtering import Selected

# The number of rows of pages, matching or not, that are counted together: few enough that their
# columns stay in the processor's cache.
CHUNK_ROWS: Final = 16_384
# So many words are found sooner in arrays than in a dict.
_MANY_WORDS: Final = 512


class Chunk:
    """Rows of some pages (`rollcall.query.values.Columns`). A column is put together once."""

    def __init__(self, pages: Sequence[Selected]) -> None:
        self.count = sum(page.count for page in pages)
        self._pages = pages
        self._integers: dict[str, Int64s] = {}
        self._texts: dict[str, tuple[Int32s, list[str]]] = {}
        self._lists: dict[str, tuple[Int64s, Int32s, list[str]]] = {}

    def integers(self, name: str) -> Int64s:
        """A column's values; null is `NULL`."""
        if name not in self._integers:
            self._integers[name] = np.concatenate([page.integers(name) for page in self._pages])
        return self._integers[name]

    def packed(self, name: str) -> tuple[Int32s, Bytes] | None:
        """As `texts`, with words in bytes; a word may come more than once.

        None if there are few words, or some that cannot be packed.
        """
        parts = [page.texts(name) for page in self._pages]
        if sum(len(words) for _, words in parts) < _MANY_WORDS:
            return None
        arrays = [
            words.packed() if isinstance(words, Words | Uuids) else None for _, words in parts
        ]
        packed = [array for array in arrays if array is not None]
        if len(packed) < len(parts):
            return None
        firsts = np.cumsum([0, *map(len, packed[:-1])])
        codes = [
            np.where(of_page == 0, 0, of_page + first)
            for (of_page, _), first in zip(parts, firsts.tolist(), strict=True)
        ]
        return np.concatenate(codes), np.concatenate(packed)

    def texts(self, name: str) -> tuple[Int32s, list[str]]:
        """A column's codes and words: code n is word n − 1, and 0 is null."""
        if name not in self._texts:
            number_of: dict[str, int] = {}
            codes = [_renumbered(*page.texts(name), number_of) for page in self._pages]
            self._texts[name] = np.concatenate(codes), list(number_of)
        return self._texts[name]

    def lists(self, name: str) -> tuple[Int64s, Int32s, list[str]]:
        """A column of lists: the length of each, the codes of all entries, and the words."""
        if name not in self._lists:
            number_of: dict[str, int] = {}
            lengths, codes = [], []
            for of_page, entries, words in (page.lists(name) for page in self._pages):
                lengths.append(of_page)
                codes.append(_renumbered(entries, words, number_of))
            self._lists[name] = np.concatenate(lengths), np.concatenate(codes), list(number_of)
        return self._lists[name]


def chunks(pages: Iterable[Selected]) -> Iterator[Chunk]:
    """The rows of pages in chunks, which keep no more than `CHUNK_ROWS` and one page in memory."""
    waiting: list[Selected] = []
    rows = 0
    for page in pages:
        waiting.append(page)
        rows += len(page.rows)
        if rows >= CHUNK_ROWS:
            yield Chunk(waiting)
            waiting, rows = [], 0
    if waiting:
        yield Chunk(waiting)


def _renumbered(codes: Int32s, words: Sequence[str], number_of: dict[str, int]) -> Int32s:
    """The codes of a page as those of a chunk, whose words are numbered from 1."""
    if len(codes) < len(words):  # only the words of selected rows
        used = np.flatnonzero(np.bincount(codes, minlength=len(words) + 1))
        numbers = np.zeros(len(words) + 1, dtype=np.int32)
        for code in used.tolist():
            if code:
                numbers[code] = number_of.setdefault(words[code - 1], len(number_of) + 1)
    else:
        of_words = [number_of.setdefault(word, len(number_of) + 1) for word in words]
        numbers = np.array([0, *of_words], dtype=np.int32)
    renumbered: Int32s = numbers[codes]
    return renumbered

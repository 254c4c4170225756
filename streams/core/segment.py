"""Where the log of a partition is cut into segments."""

from __future__ import annotations

from typing import NamedTuple

_BITS = 16


class Segments(NamedTuple):
    """Segments of ``size`` offsets; the first is shorter by ``shift``, so that not all partitions
    that grow alike end a segment at the same moment."""

    size: int
    shift: int = 0

    @classmethod
    def of(cls, size: int, partition: int) -> Segments:
        """Partitions are spread as evenly as their number allows: 0, 1/2, 1/4, 3/4, 1/8 ...

        >>> [Segments.of(16_384, partition).shift for partition in range(5)]
        [0, 8192, 4096, 12288, 2048]
        """
        digits = f"{partition % 2**_BITS:0{_BITS}b}"
        return cls(size, size * int(digits[::-1], 2) >> _BITS)

    def number(self, offset: int) -> int:
        """The segment an offset is in."""
        return (offset + self.shift) // self.size

    def start(self, number: int) -> int:
        """The first offset of a segment.

        >>> Segments(8, 2).start(0), Segments(8, 2).start(1), Segments(8, 2).number(6)
        (0, 6, 1)
        """
        return max(0, number * self.size - self.shift)

    def border(self, offset: int) -> int:
        """The start of the segment an offset is in: the last border at or before it."""
        return self.start(self.number(offset))

    def next_border(self, offset: int) -> int:
        """Where the segment that an offset is in ends."""
        return self.start(self.number(offset) + 1)

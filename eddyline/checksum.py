"""CRC-32 as zlib's, by the processor's own instructions where they can be had.

Every record is summed when it is stored, when it is read and when it is answered. ISA-L does it ten
times as fast as zlib; it has no wheels for some machines, where zlib does.
"""

from __future__ import annotations

try:
    from isal.isal_zlib import crc32
except ImportError:
    from zlib import crc32

__all__ = ["crc32"]

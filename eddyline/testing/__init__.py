"""The public test kit: a real server on free ports, a clock that stands still, golden cases."""

from eddyline.clock import ManualClock
from eddyline.testing.serving import TestServer, server

__all__ = ["ManualClock", "TestServer", "server"]

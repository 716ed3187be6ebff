"""A worker's application: the log, the services over it, the guard before them, put together."""

from __future__ import annotations

from eddyline.aws.guard import KeyGuard
from eddyline.aws.kinesis.channels_delivery import Deliveries
from eddyline.aws.kinesis.service import Kinesis
from eddyline.aws.metrics import Metrics
from eddyline.aws.protocol import Endpoint
from eddyline.log import LogStore
from eddyline.settings import Settings


class Application:
    """All of one worker process, without the server that carries it."""

    def __init__(self, settings: Settings, number: int = 0) -> None:
        self._store = LogStore(settings.data_dir, settings)
        kinesis = Kinesis(self._store, settings)
        self._metrics = Metrics(self._store, kinesis.home.flow, settings, number)
        services = {kinesis.target_prefix: kinesis}
        self._deliveries = Deliveries(kinesis.home)
        self._deliveries.start()
        self.endpoint = Endpoint(services, KeyGuard(settings), settings, self._metrics)

    def close(self) -> None:
        """Finish what was put and write down what was counted."""
        self._deliveries.stop()
        self._metrics.close()
        self._store.close()

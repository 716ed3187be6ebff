"""A worker's application: the log, the services over it and the guard before them."""

from __future__ import annotations

from eddyline.aws.guard import KeyGuard
from eddyline.aws.metrics import Metrics
from eddyline.aws.protocol import Endpoint
from eddyline.aws.routing import ServiceRoutes
from eddyline.log import LogStore
from eddyline.settings import Settings


class WorkerApplication:
    """All of one worker process, without the server that carries it."""

    def __init__(self, settings: Settings, number: int = 0) -> None:
        self._store = LogStore(settings.data_dir, settings)
        self._routes = ServiceRoutes(self._store, settings)
        self._routes.start()
        self._metrics = Metrics(self._routes.metrics, settings, number)
        self.endpoint = Endpoint(self._routes, KeyGuard(settings), settings, self._metrics)

    def close(self) -> None:
        """Finish what was put and write down what was counted."""
        self._routes.close()
        self._metrics.close()
        self._store.close()

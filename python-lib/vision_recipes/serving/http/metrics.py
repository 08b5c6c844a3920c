"""What an operator watches, for Prometheus: requests, pictures, seconds, the queue, models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from vision_recipes.serving.served_models import ServedModels

TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
BATCHES = (1, 2, 4, 8, 16, 32)


class Metrics:
    """The counters of a process, with a registry of their own."""

    def __init__(self, models: ServedModels) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        place: dict[str, Any] = {"namespace": "vision_serve", "registry": self._registry}
        self._requests = Counter("requests", "Requests answered", ("route", "status"), **place)
        self._seconds = Histogram("request_seconds", "From a head to its answer", ("route",), buckets=SECONDS, **place)
        self._pictures = Counter(
            "pictures", "Pictures by reason; none for those with labels", ("model", "reason"), **place
        )
        self._stages = Histogram(
            "stage_seconds",
            "Of a picture or a batch",
            ("stage",),
            buckets=SECONDS,
            **place,
        )
        self._batches = Histogram("batch_pictures", "Pictures of a batch", buckets=BATCHES, **place)
        self._registry.register(ModelMetrics(models))
        models.observe(self._observe)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_pictures(self, model: str, reasons: Iterable[str]) -> None:
        """Count the pictures of a request by why they could not be read, "" for those that could."""
        for reason in reasons:
            self._pictures.labels(model, reason or "none").inc()

    def _observe(self, what: str, value: float) -> None:
        if what == "batch":
            self._batches.observe(value)
        else:
            self._stages.labels(what).observe(value)

    def text(self) -> bytes:
        """Return all of them in Prometheus' text format."""
        return generate_latest(self._registry)


class ModelMetrics(Collector):
    """What the models themselves know, read when it is asked for."""

    def __init__(self, models: ServedModels) -> None:
        self._models = models

    def collect(self) -> Iterable[Metric]:
        """Yield the models with their versions, how often those changed, and the length of the queue."""
        yield GaugeMetricFamily("vision_serve_queue", "Pictures accepted and not answered", self._models.waiting())
        swaps = CounterMetricFamily("vision_serve_swaps", "Versions that were replaced", labels=("model",))
        family = GaugeMetricFamily("vision_serve_model", "Models, 1 when ready", labels=("model", "version"))
        for name in self._models.names():
            model = self._models.get(name)
            family.add_metric((name, model.version), float(model.ready))
            swaps.add_metric((name,), model.swaps)
        yield from (family, swaps)


async def metrics(request: Request) -> Response:
    """Answer GET /metrics."""
    return Response(request.app.state.metrics.text(), media_type=TYPE)

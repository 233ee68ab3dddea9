"""`GET /metrics`: durations and usage of requests since the start, in the Prometheus format.

Names after OpenTelemetry's conventions for generative AI (`gen_ai.client.operation.duration` is
`gen_ai_client_operation_duration_seconds` here), and `claude_max_…` for what has none. Labels have few
distinct values: never text from a client.
"""

from collections.abc import Mapping

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from ..plan import Window
from ..records import Row

# Buckets of the conventions, in seconds and in tokens.
DURATIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
TOKENS = tuple(float(4**power) for power in range(14))
PROVIDER = "anthropic"
LABELS = ("gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_response_model")


class Metrics:
    """The metrics of one server, in a separate registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._duration = Histogram(
            "gen_ai_client_operation_duration_seconds",
            "How long requests took.",
            (*LABELS, "claude_max_dialect", "error_type"),
            buckets=DURATIONS,
            registry=self.registry,
        )
        self._first = Histogram(
            "gen_ai_server_time_to_first_token_seconds",
            "How long until the first token.",
            LABELS,
            buckets=FIRST,
            registry=self.registry,
        )
        self._tokens = Histogram(
            "gen_ai_client_token_usage",
            "Tokens of a request; the input with what the prompt cache had.",
            (*LABELS, "gen_ai_token_type"),
            buckets=TOKENS,
            registry=self.registry,
        )
        self._cached = Counter(
            "claude_max_cache_read_tokens", "Input that the prompt cache had.", LABELS[2:], registry=self.registry
        )
        self._value = Counter(
            "claude_max_list_price_usd", "What requests would cost at list price.", LABELS[2:], registry=self.registry
        )
        self._queue = Histogram(
            "claude_max_queue_seconds",
            "Waiting for a worker.",
            ("way", "worker"),
            buckets=FIRST,
            registry=self.registry,
        )
        self._used = Gauge(
            "claude_max_window_used_ratio", "Of the plan's windows.", ("window",), registry=self.registry
        )
        self._resets = Gauge(
            "claude_max_window_reset_timestamp_seconds", "When it resets.", ("window",), registry=self.registry
        )
        self._extra = Gauge("claude_max_extra_usage", "1 while requests are billed on top.", registry=self.registry)

    def observe(self, row: Row, windows: tuple[Window, ...], _: Mapping[str, str]) -> None:
        """Counts a finished request."""
        operation = "text_completion" if row.dialect == "completions" else "chat"
        labels = (operation, PROVIDER, row.model)
        self._duration.labels(*labels, row.dialect, row.error).observe(row.total_ms / 1000)
        if row.first_ms is not None:
            self._first.labels(*labels).observe(row.first_ms / 1000)
        if row.calls:
            self._tokens.labels(*labels, "input").observe(row.input + row.cache_read + row.cache_write)
            self._tokens.labels(*labels, "output").observe(row.output)
            self._cached.labels(row.model).inc(row.cache_read)
            self._value.labels(row.model).inc(row.cost or 0.0)
            # Only requests that reached the service report the plan.
            self._extra.set(row.overage)
        if row.queue_ms is not None:
            self._queue.labels(row.way, "warm" if row.warm else "new").observe(row.queue_ms / 1000)
        for window in windows:
            if window.used is not None:
                self._used.labels(window.name).set(window.used)
            if window.resets is not None:
                self._resets.labels(window.name).set(window.resets)

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        return generate_latest(self.registry)


def router(metrics: Metrics) -> APIRouter:
    """`GET /metrics`."""
    made = APIRouter()

    @made.get("/metrics", response_class=Response)
    async def metrics_of_this_server() -> Response:
        """What requests took and used since the server began, in the text format of Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    return made

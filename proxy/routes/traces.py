"""Sends a span per request by OTLP if OpenTelemetry's variables name a receiver. Needs the extra `[otel]`.

`OTEL_EXPORTER_OTLP_ENDPOINT` (or `…_TRACES_ENDPOINT`) turns it on; the other variables of OpenTelemetry hold, too.
A client's `traceparent` is continued (W3C Trace Context). Attributes are numbers and names of the conventions for
generative AI, never a prompt or an answer.
"""

import asyncio
import importlib.util
import logging
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..plan import Window
from ..records import Row

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

log = logging.getLogger("claude_max.traces")

VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NEEDS = "opentelemetry.exporter.otlp.proto.http"
# How long an unresponsive receiver may delay the server's shutdown.
CLOSE_SECONDS = 2.0


class Traces:
    """Sends finished requests as spans, in a separate thread."""

    def __init__(self, provider: "TracerProvider") -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("claude_max")

    @classmethod
    def configured(cls, environ: Mapping[str, str]) -> "Traces | None":
        """Configured by the variables; None where none enables it, or the extra is missing, which is logged."""
        if not any(environ.get(name) for name in VARIABLES) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
            return None
        try:
            is_there = importlib.util.find_spec(NEEDS) is not None and importlib.util.find_spec("opentelemetry.sdk")
        except ModuleNotFoundError:
            is_there = None
        if not is_there:
            log.warning("no traces are sent: install the extra, `uv tool install 'claude-max-toolkit[otel]'`")
            return None
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        name = environ.get("OTEL_SERVICE_NAME") or "claude-max"
        provider = TracerProvider(resource=Resource.create({"service.name": name}), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    def observe(self, row: Row, _: tuple[Window, ...] = (), context: Mapping[str, str] = MappingProxyType({})) -> None:
        """Sends a finished request, later. Its span is a child of the client's, where `context` names one."""
        from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        begun = round(row.at * 1e9)
        operation = "text_completion" if row.dialect == "completions" else "chat"
        span = self._tracer.start_span(
            f"{operation} {row.model or row.dialect}",
            TraceContextTextMapPropagator().extract(context),
            kind=SpanKind.SERVER,
            start_time=begun,
            attributes=_attributes(row),
        )
        inside = set_span_in_context(span)
        at = begun
        for name, spent in (("prepare", row.prepare_ms), ("queue", row.queue_ms)):
            if spent is not None:
                part = self._tracer.start_span(name, inside, start_time=at)
                at += spent * 1_000_000
                part.end(at)
        if row.first_ms is not None:
            span.add_event("first token", timestamp=begun + row.first_ms * 1_000_000)
        if row.error:
            span.set_status(Status(StatusCode.ERROR, row.error))
        span.end(begun + row.total_ms * 1_000_000)

    async def close(self) -> None:
        """Sends what waits, within CLOSE_SECONDS."""
        ending = threading.Thread(target=self._provider.shutdown, daemon=True)
        ending.start()
        await asyncio.to_thread(ending.join, CLOSE_SECONDS)


def _attributes(row: Row) -> dict[str, str | int | float | bool]:
    found: dict[str, str | int | float | bool] = {
        "gen_ai.operation.name": "text_completion" if row.dialect == "completions" else "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": row.asked,
        "gen_ai.usage.input_tokens": row.input + row.cache_read + row.cache_write,
        "gen_ai.usage.output_tokens": row.output,
        "gen_ai.usage.cache_read.input_tokens": row.cache_read,
        "gen_ai.usage.cache_creation.input_tokens": row.cache_write,
        "http.response.status_code": row.status,
        "claude_max.request.id": row.id,
        "claude_max.dialect": row.dialect,
        "claude_max.client": row.client,
        "claude_max.calls": row.calls,
    }
    known = {
        "gen_ai.response.model": row.model or None,
        "error.type": row.error or None,
        "claude_max.way": row.way or None,
        "claude_max.warm": row.warm if row.way else None,
        "claude_max.list_price_usd": row.cost,
    }
    return found | {name: value for name, value in known.items() if value is not None}

"""`/metrics` and traces tell what the scripted service counted, in the forms that Prometheus and OTLP take."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from harness.asking import CHAT, directive
from harness.machine import eventually
from harness.proxy import RunningProxy, running_proxy, scripted
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from prometheus_client.parser import text_string_to_metric_families

LIMITS = {"status": "allowed", "claim": "five_hour", "reset": "+3600", "5h": 0.5, "7d": 0.25}


def ask(proxy: RunningProxy, **reply: Any) -> httpx2.Response:
    body = {"model": "sonnet", "messages": [{"role": "user", "content": directive(**reply)}]}
    return proxy.http.post(CHAT, json=body)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    found = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in found, "each only once"
            found[key] = sample.value
    return found


def total(found: dict[Any, float], name: str, **labels: str) -> float:
    return sum(value for (each, with_), value in found.items() if each == name and set(labels.items()) <= with_)


def test_metrics(home: Path) -> None:
    with scripted() as api, running_proxy(home, api=api) as own:
        for _ in range(3):
            ask(own, text="a b c", limits=LIMITS)
        ask(own, text="a", usage={"input_tokens": 10, "cache_read_input_tokens": 90, "output_tokens": 5})
        ask(own, status=400, message="no")

        def all_there() -> dict[Any, float] | None:
            answer = own.http.get("/metrics")
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            found = samples(answer.text)
            return found if total(found, "gen_ai_client_operation_duration_seconds_count") == 5 else None

        found = eventually(all_there, 10)
        text = own.http.get("/metrics").text
        uses = [each.usage for each in api.api.messages() if each.usage is not None]
    assert len(uses) == 4
    kinds = ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    told = sum(use[kind] for use in uses for kind in kinds)
    assert total(found, "gen_ai_client_token_usage_sum", gen_ai_token_type="input") == told
    assert total(found, "gen_ai_client_token_usage_sum", gen_ai_token_type="output") == sum(
        use["output_tokens"] for use in uses
    )
    assert total(found, "claude_max_cache_read_tokens_total") == 90
    assert total(found, "claude_max_list_price_usd_total", gen_ai_response_model="claude-sonnet-5-5") > 0
    assert total(found, "gen_ai_server_time_to_first_token_seconds_count") == 4
    assert total(found, "gen_ai_client_operation_duration_seconds_count", error_type="invalid_request") == 1
    assert total(found, "claude_max_queue_seconds_count", way="exact", worker="warm") >= 4
    assert total(found, "claude_max_window_used_ratio", window="five_hour") == 0.5
    assert total(found, "claude_max_window_used_ratio", window="seven_day") == 0.25
    if promtool := shutil.which("promtool"):
        done = subprocess.run([promtool, "check", "metrics"], input=text.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_client_makes_no_labels(proxy: RunningProxy) -> None:
    for model in ("nobody-knows", "me-neither"):
        proxy.http.post(CHAT, json={"model": model, "messages": []}, headers={"user-agent": f"{model}/1"})
    text = proxy.http.get("/metrics").text
    assert "nobody-knows" not in text
    assert "me-neither" not in text


def test_a_key_is_wanted_for_metrics_too(home: Path) -> None:
    with scripted() as api, running_proxy(home, api=api, environ={"CLAUDE_MAX_API_KEY": "k"}) as own:
        assert own.http.get("/metrics").status_code == 401
        assert own.http.get("/metrics", headers={"authorization": "Bearer k"}).status_code == 200


class Receiver(BaseHTTPRequestHandler):
    """Takes traces."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.taken.append((self.path, body))  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        server.taken = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", server.taken  # type: ignore[attr-defined]
        server.shutdown()


def test_traces(home: Path, receiver: tuple[str, list[tuple[str, bytes]]], marker: str) -> None:
    url, taken = receiver
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
    with scripted() as api, running_proxy(home, api=api, environ=environ) as own:
        assert ask(own, text=f"{marker} b c").status_code == 200
        assert ask(own, status=400, message=marker).status_code == 400
        context = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "tracestate": "theirs=1"}
        for headers in (context, {"traceparent": "00-not-a-trace"}):
            body = {
                "model": "anthropic/claude-sonnet-5.5",
                "messages": [{"role": "user", "content": directive(text="a")}],
            }
            assert own.http.post(CHAT, json=body, headers=headers).status_code == 200
    # What was not sent yet is sent when the server ends.
    spans = [
        span
        for path, body in taken
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if path == "/v1/traces"
    ]
    [continued] = [span for span in spans if span.trace_id == b"\xab" * 16 and span.name.startswith("chat ")]
    assert (continued.parent_span_id, continued.trace_state) == (b"\xcd" * 8, "theirs=1")
    asked = {each.key: each.value.string_value for each in continued.attributes}["gen_ai.request.model"]
    assert asked == "anthropic/claude-sonnet-5.5", "as the client said it"
    roots = {span.name: span for span in reversed(spans) if not span.parent_span_id}
    assert set(roots) == {"chat claude-sonnet-5-5", "chat chat_completions"}
    good = roots["chat claude-sonnet-5-5"]
    values = {each.key: each.value for each in good.attributes}
    assert values["gen_ai.usage.output_tokens"].int_value == 3
    assert values["gen_ai.response.model"].string_value == "claude-sonnet-5-5"
    assert values["claude_max.list_price_usd"].double_value > 0
    assert [event.name for event in good.events] == ["first token"]
    assert good.start_time_unix_nano < good.events[0].time_unix_nano <= good.end_time_unix_nano
    assert {span.name for span in spans if span.parent_span_id == good.span_id} == {"prepare", "queue"}
    assert roots["chat chat_completions"].status.message == "invalid_request"
    assert marker.encode() not in b"".join(body for _, body in taken)


def test_a_receiver_that_is_not_there_holds_nothing_up(home: Path) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with scripted() as api, running_proxy(home, api=api, environ=environ) as own:
        assert ask(own, text="a").status_code == 200

"""What the legacy `POST /v1/completions` carries. No tests here."""

from .features import Row

TITLE = "Completions (legacy)"
PATHS = ("/v1/completions",)
ROWS = {
    "whole": Row("yes", "e2e/test_completions.py::test_whole_and_streamed"),
    "streamed": Row("yes", "e2e/test_completions.py::test_whole_and_streamed"),
    "system": Row("no"),
    "images": Row("no"),
    "files": Row("no"),
    "functions": Row("no"),
    "parallel": Row("no"),
    "results": Row("no"),
    "choice": Row("no"),
    "strict": Row("no"),
    "custom": Row("no"),
    "namespaces": Row("no"),
    "web_search": Row("no"),
    "hosted": Row("no"),
    "schema": Row("no"),
    "json": Row("no"),
    "effort": Row("no"),
    "thinking": Row("no"),
    "thinking_back": Row("no"),
    "stored": Row("no"),
    "compaction": Row("no"),
    "limit": Row("yes", "clients/test_clients_openai_python.py::test_legacy_completions"),
    "stop": Row("yes", "translate/test_unit_completions_request.py::test_parameters"),
    "sampling": Row("yes", "translate/test_unit_completions_request.py::test_parameters"),
    "several": Row("yes", "e2e/test_completions.py::test_whole_and_streamed"),
    "logprobs": Row("named", "translate/test_unit_completions_request.py::test_parameters"),
    "metadata": Row("no"),
    "begun": Row("no"),
    "citations": Row("no"),
    "marks": Row("no", note="the proxy sets them"),
    "prewarm": Row("no"),
    "count": Row("no"),
    "usage": Row("yes", "clients/test_clients_openai_python.py::test_legacy_completions"),
    "ignored": Row("yes", "translate/test_unit_completions_request.py::test_parameters"),
    "failures": Row("yes", "e2e/test_completions.py::test_what_cannot_be_done_is_said"),
    "failures_streamed": Row("yes", "routes/test_unit_dialect.py::test_a_failure_in_mid_stream_is_told_by_the_reply"),
}

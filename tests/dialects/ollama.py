"""What `POST /api/chat` and `POST /api/generate` carry. No tests here."""

from .features import Row

REQUEST = "translate/ollama/test_unit_ollama_request.py"
TITLE = "ollama"
PATHS = ("/api/chat", "/api/generate")
ROWS = {
    "whole": Row("yes", "e2e/test_ollama.py::test_a_whole_chat"),
    "streamed": Row("yes", "e2e/test_ollama.py::test_a_chat_is_streamed", "unless `stream` is false"),
    "system": Row("yes", "e2e/test_ollama.py::test_a_picture_and_options"),
    "images": Row("yes", "e2e/test_ollama.py::test_a_picture_and_options", "base64"),
    "files": Row("no"),
    "functions": Row("yes", "e2e/test_ollama.py::test_calls_and_their_results"),
    "parallel": Row(
        "yes", "translate/ollama/test_unit_ollama_answer.py::test_a_call_comes_whole_on_a_line_of_its_own", "each whole"
    ),
    "results": Row("yes", f"{REQUEST}::test_pictures_in_results"),
    "choice": Row("no"),
    "strict": Row("no"),
    "custom": Row("no"),
    "namespaces": Row("no"),
    "web_search": Row("no"),
    "hosted": Row("no"),
    "schema": Row("yes", "e2e/test_ollama.py::test_structured", "`format`"),
    "json": Row("yes", f"{REQUEST}::test_format"),
    "effort": Row("yes", f"{REQUEST}::test_think", "`think`"),
    "thinking": Row("yes", "e2e/test_ollama.py::test_a_whole_chat", "`think`"),
    "thinking_back": Row("named", f"{REQUEST}::test_thinking_in_a_history_is_named", "the proxy keeps it in memory"),
    "stored": Row("named", f"{REQUEST}::test_generate", "`context`"),
    "compaction": Row("no"),
    "limit": Row("yes", "e2e/test_ollama.py::test_cut_by_the_limit", "`options.num_predict`"),
    "stop": Row("yes", "e2e/test_ollama.py::test_a_picture_and_options", "`options.stop`"),
    "sampling": Row("yes", f"{REQUEST}::test_options", "`options`, top_k, too"),
    "several": Row("no"),
    "logprobs": Row("named", f"{REQUEST}::test_what_has_no_effect_is_named"),
    "metadata": Row("no"),
    "begun": Row("yes", f"{REQUEST}::test_the_assistant_may_speak_last", "by a short user message where need be"),
    "citations": Row("no"),
    "marks": Row("no", note="the proxy sets them"),
    "prewarm": Row("no"),
    "count": Row("no"),
    "usage": Row("yes", "translate/ollama/test_unit_ollama_answer.py::test_a_chat", "counts and durations"),
    "ignored": Row("yes", f"{REQUEST}::test_options"),
    "failures": Row("yes", "e2e/test_ollama.py::test_no_such_model"),
    "failures_streamed": Row("yes", "e2e/test_ollama.py::test_a_failure_in_mid_stream"),
}

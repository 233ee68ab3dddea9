"""What `POST /v1/chat/completions` carries. No tests here."""

from .features import Row

TITLE = "Chat Completions"
PATHS = ("/v1/chat/completions",)
ROWS = {
    "whole": Row("yes", "e2e/test_chat.py::test_the_sdk_collects_an_answer"),
    "streamed": Row("yes", "e2e/test_chat.py::test_a_stream_on_the_wire"),
    "system": Row("yes", "e2e/test_chat.py::test_a_history_reaches_the_model_with_its_roles"),
    "images": Row("yes", "e2e/test_content.py::test_carried"),
    "files": Row("yes", "e2e/test_content.py::test_carried"),
    "functions": Row("yes", "e2e/test_tools.py::test_parallel_calls_and_their_results_in_any_order"),
    "parallel": Row("yes", "e2e/test_tools.py::test_calls_are_streamed_in_fragments"),
    "results": Row("yes", "e2e/test_tools.py::test_tool_results_with_images"),
    "choice": Row("yes", "e2e/test_tools.py::test_tool_choice"),
    "strict": Row("named", "translate/test_unit_chat_request.py::test_what_has_no_effect_is_named"),
    "custom": Row("yes", "e2e/test_shapes.py::test_a_custom_tool", "a grammar is told to the model, not enforced"),
    "namespaces": Row("no"),
    "web_search": Row("yes", "e2e/test_responses.py::test_web_search_of_chat_completions", "setting `web_search`"),
    "hosted": Row("no"),
    "schema": Row("yes", "e2e/test_structured.py::test_native"),
    "json": Row("yes", "e2e/test_structured.py::test_json_object"),
    "effort": Row("yes", "e2e/test_parameters.py::test_reasoning"),
    "thinking": Row("yes", "e2e/test_parameters.py::test_reasoning", "`reasoning_content`"),
    "thinking_back": Row("no", note="the proxy keeps it in memory"),
    "stored": Row("named", "e2e/test_parameters.py::test_without_effect_is_named"),
    "compaction": Row("no"),
    "limit": Row("yes", "e2e/test_parameters.py::test_limits_and_stops_end_with_their_reason"),
    "stop": Row("yes", "e2e/test_parameters.py::test_limits_and_stops_end_with_their_reason"),
    "sampling": Row("yes", "e2e/test_parameters.py::test_sampling"),
    "several": Row("yes", "e2e/test_parameters.py::test_n_choices"),
    "logprobs": Row("named", "e2e/test_parameters.py::test_without_effect_is_named"),
    "metadata": Row("named", "e2e/test_parameters.py::test_without_effect_is_named"),
    "begun": Row("yes", "e2e/test_shapes.py::test_an_assistant_message_last", "else asked to go on, named"),
    "citations": Row("no"),
    "marks": Row("yes", "translate/test_unit_shapes.py::test_cache_marks", "`cache_control`; else the proxy sets them"),
    "prewarm": Row("no"),
    "count": Row("no"),
    "usage": Row("yes", "translate/test_unit_chat_answer.py::test_usage_counts_the_cached_tokens_too"),
    "ignored": Row("yes", "e2e/test_parameters.py::test_without_effect_is_named"),
    "failures": Row("yes", "e2e/test_failures.py::test_a_failure_before_the_answer_has_its_own_status"),
    "failures_streamed": Row("yes", "e2e/test_failures.py::test_a_failure_in_the_middle_is_an_error_event"),
}

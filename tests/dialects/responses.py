"""What `POST /v1/responses` carries. No tests here."""

from .features import Row

TITLE = "Responses"
PATHS = ("/v1/responses",)
_REQUEST = "translate/responses/test_unit_responses_request.py"
_PYTHON = "clients/test_clients_responses_python.py"
ROWS = {
    "whole": Row("yes", f"{_PYTHON}::test_create"),
    "streamed": Row("yes", f"{_PYTHON}::test_the_events_of_a_stream"),
    "system": Row("yes", f"{_PYTHON}::test_create", "`instructions`"),
    "images": Row("yes", f"{_REQUEST}::test_a_conversation_of_every_item"),
    "files": Row("yes", f"{_REQUEST}::test_a_conversation_of_every_item"),
    "functions": Row("yes", f"{_PYTHON}::test_tools_without_a_store"),
    "parallel": Row("yes", f"{_PYTHON}::test_the_events_of_a_stream"),
    "results": Row("yes", "e2e/test_responses.py::test_an_image_in_the_result_of_a_call"),
    "choice": Row("yes", f"{_REQUEST}::test_tool_choice"),
    "strict": Row("yes", f"{_REQUEST}::test_tools"),
    "custom": Row("yes", f"{_PYTHON}::test_a_custom_tool", "a grammar is told to the model, not enforced"),
    "namespaces": Row("yes", "clients/test_clients_codex.py::test_codex_makes_a_file_and_goes_on"),
    "web_search": Row("yes", "e2e/test_responses.py::test_web_search", "setting `web_search`"),
    "hosted": Row("refused", f"{_REQUEST}::test_tools_of_openais_own_servers_are_refused_by_name"),
    "schema": Row("yes", f"{_PYTHON}::test_parse", "`text.format`"),
    "json": Row("yes", f"{_REQUEST}::test_the_form_of_the_text"),
    "effort": Row("yes", f"{_REQUEST}::test_reasoning"),
    "thinking": Row("yes", f"{_PYTHON}::test_the_events_of_a_stream", "`reasoning.summary`"),
    "thinking_back": Row("yes", f"{_PYTHON}::test_tools_without_a_store", "`encrypted_content`"),
    "stored": Row("yes", f"{_PYTHON}::test_going_on_from_a_kept_response", "settings `responses_keep_…`"),
    "compaction": Row("yes", "clients/test_clients_codex.py::test_it_compacts_a_long_conversation"),
    "limit": Row("yes", f"{_PYTHON}::test_an_answer_that_is_cut"),
    "stop": Row("no"),
    "sampling": Row("yes", f"{_REQUEST}::test_sampling_and_limits"),
    "several": Row("no"),
    "logprobs": Row("named", f"{_REQUEST}::test_what_has_no_effect_is_named"),
    "metadata": Row("yes", f"{_PYTHON}::test_create", "repeated in the answer"),
    "begun": Row("yes", "translate/test_unit_shapes.py::test_a_shape_of_responses", "else asked to go on, named"),
    "citations": Row("no"),
    "marks": Row("no", note="the proxy sets them"),
    "prewarm": Row("yes", "e2e/test_responses.py::test_the_cache_is_filled_without_an_answer", "`prewarm`"),
    "count": Row("yes", "clients/test_clients_responses_python.py::test_tokens_are_counted"),
    "usage": Row("yes", "translate/responses/test_unit_responses_answer.py::test_the_whole_object"),
    "ignored": Row("yes", f"{_PYTHON}::test_what_has_no_effect_is_named"),
    "failures": Row("yes", f"{_PYTHON}::test_failures"),
    "failures_streamed": Row("yes", f"{_PYTHON}::test_failures", "`response.failed`"),
}

"""What `POST /v1/messages` carries. No tests here."""

from .features import Row

REQUEST = "translate/messages/test_unit_messages_request.py"
TITLE = "Messages (Anthropic)"
PATHS = ("/v1/messages",)
ROWS = {
    "whole": Row("yes", "e2e/test_messages.py::test_a_message"),
    "streamed": Row("yes", "e2e/test_messages.py::test_a_stream"),
    "system": Row("yes", f"{REQUEST}::test_the_system_prompt", "blocks become one text"),
    "images": Row("yes", f"{REQUEST}::test_a_block_of_the_user_travels_as_it_is"),
    "files": Row("yes", "e2e/test_messages.py::test_documents_with_citations_and_marks"),
    "functions": Row("yes", f"{REQUEST}::test_tools_travel_as_they_are"),
    "parallel": Row("yes", "e2e/test_messages.py::test_an_agents_loop_reaches_the_service_as_it_is"),
    "results": Row("yes", "e2e/test_messages.py::test_an_agents_loop_reaches_the_service_as_it_is", "errors, too"),
    "choice": Row("yes", f"{REQUEST}::test_the_choice"),
    "strict": Row("yes", f"{REQUEST}::test_tools_travel_as_they_are"),
    "custom": Row("no"),
    "namespaces": Row("no"),
    "web_search": Row("yes", f"{REQUEST}::test_the_search_of_the_web_is_the_settings_to_allow", "setting `web_search`"),
    "hosted": Row("refused", f"{REQUEST}::test_bad_input", "those that the client runs are carried"),
    "schema": Row("yes", "e2e/test_messages.py::test_parameters", "`output_config.format`"),
    "json": Row("no"),
    "effort": Row("yes", "e2e/test_messages.py::test_parameters"),
    "thinking": Row("yes", "e2e/test_messages.py::test_a_stream"),
    "thinking_back": Row("yes", "e2e/test_messages.py::test_an_agents_loop_reaches_the_service_as_it_is", "signed"),
    "stored": Row("refused", f"{REQUEST}::test_no_conversation_is_held", "SDKs send all of it then"),
    "compaction": Row("no"),
    "limit": Row("yes", "e2e/test_messages.py::test_stop_reasons_are_the_services_own"),
    "stop": Row("yes", "e2e/test_messages.py::test_the_stop_sequence_that_matched", "with the one that matched"),
    "sampling": Row("yes", f"{REQUEST}::test_parameters", "top_k, too"),
    "several": Row("no"),
    "logprobs": Row("no"),
    "metadata": Row("named", f"{REQUEST}::test_what_has_no_effect_is_named"),
    "begun": Row("yes", "e2e/test_messages.py::test_prefill", "else asked to go on, named"),
    "citations": Row("yes", "translate/messages/test_unit_messages_answer.py::test_searches_and_citations"),
    "marks": Row("yes", "e2e/test_messages.py::test_documents_with_citations_and_marks", "two; the CLI sets two"),
    "prewarm": Row("yes", "e2e/test_messages.py::test_the_cache_is_filled_without_an_answer", "`max_tokens: 0`"),
    "count": Row("yes", "e2e/test_messages.py::test_tokens_are_counted_and_none_spent"),
    "usage": Row("yes", "translate/messages/test_unit_messages_answer.py::test_a_text"),
    "ignored": Row("yes", f"{REQUEST}::test_what_has_no_effect_is_named"),
    "failures": Row("yes", "e2e/test_messages.py::test_failures_keep_their_status"),
    "failures_streamed": Row("yes", "e2e/test_messages.py::test_a_failure_in_mid_stream"),
}

"""Errors hold the words of clients, models and programs, and are shown on terminals."""

from claude_max.proxy.errors import BadRequest


def test_an_error_commands_no_terminal() -> None:
    error = BadRequest("a\x1b[2J\x9b31m\u202eb\r\nc\td é", param="x\x07")
    assert error.message == "a\\x1b[2J\\x9b31m\\u202eb\\r\nc\td é"
    assert error.param == "x\\x07"
    assert str(error) == error.message


def test_an_error_in_other_words_keeps_its_hint() -> None:
    error = BadRequest("one", hint="Do this.")
    error.reword("two")
    assert (error.message, str(error)) == ("two Do this.", "two Do this.")

"""Every kind of failure has a form in OpenAI's dialects."""

from typing import get_args

import pytest
from harness.openai_schema import check_error

from claude_max.proxy import errors
from claude_max.proxy.translate.common.openai_errors import TYPES, error_object

KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.ProxyError)]


def test_every_kind_is_known() -> None:
    assert {kind.kind for kind in KINDS} == set(get_args(errors.Kind)) == TYPES.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_object_has_all_four_keys(kind: type[errors.ProxyError]) -> None:
    found = error_object(kind("what happened"))
    check_error(found)
    assert set(found["error"]) == {"message", "type", "param", "code"}


def test_the_hint_follows_the_sentence() -> None:
    error = errors.BadRequest("It is wrong.", hint="Put it right.", param="x")
    assert str(error) == error.message == "It is wrong. Put it right."
    assert error_object(error) == {
        "error": {
            "message": error.message, "type": "invalid_request_error", "param": "x", "code": "invalid_value",
        }
    }  # fmt: skip

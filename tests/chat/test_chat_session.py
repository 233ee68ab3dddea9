"""The pure parts of the chat: what a line means, what a request holds, what the record keeps."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from claude_max.cli.chat import attach
from claude_max.cli.chat.command import asked
from claude_max.cli.chat.commands import Do, Say, Unusable, Wrong, file_name, parse
from claude_max.cli.chat.schema import schema
from claude_max.cli.chat.session import Attachment, Exchange, Question, Session

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

LINES: list[tuple[str, Any]] = [
    ("", None),
    (" \n ", None),
    ("hello ", Say("hello")),
    ("two\nlines", Say("two\nlines")),
    ("/help", Do("help")),
    ("/HELP ", Do("help")),
    ("/quit", Do("exit")),
    ("/model", Do("model")),
    ("/model  claude-opus-5-5 ", Do("model", "claude-opus-5-5")),
    ("/system be\nbrief", Do("system", "be\nbrief")),
    ("/save! a b.md", Do("save!", "a b.md")),
    ("/usr/bin is full", Say("/usr/bin is full")),
    (" /help", Say("/help")),
    ("/ what", Say("/ what")),
    ("/image", "needs a FILE"),
    ("/undo 3", "takes no argument"),
    ("/hepl", "Unknown command /hepl"),
    ("/help!", "Unknown command /help!"),
]


@pytest.mark.parametrize(("line", "meaning"), LINES)
def test_a_line_is_a_command_only_when_it_can_be_nothing_else(line: str, meaning: Any) -> None:
    found = parse(line)
    if isinstance(meaning, str):
        assert isinstance(found, Wrong)
        assert meaning in found.why
        assert "\n" not in found.why
    else:
        assert found == meaning


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("a b.png", "a b.png"),
        ("'a b.png'", "a b.png"),
        ('"a b.png"', "a b.png"),
        (r"My\ File\ \(1\).png", "My File (1).png"),
        ("'", "'"),
        (r"C:\dir\x.png", r"C:\dir\x.png"),
    ],
)
def test_a_file_may_be_dropped_into_the_terminal(typed: str, name: str) -> None:
    assert file_name(typed) == name


@pytest.mark.parametrize(
    ("question", "context", "text"),
    [
        ("q", "", "q"),
        ("q", "diff\n", "diff\n\nq"),
        (None, "only\n", "only"),
        (None, " \n", ""),
        (" ", "c", "c"),
        (None, "  indented\n", "  indented"),
    ],
)
def test_what_is_piped_in_comes_before_the_question(question: str | None, context: str, text: str) -> None:
    assert asked(question, context) == text


def test_a_request_holds_the_conversation() -> None:
    session = Session("sonnet", "be brief", "high")
    picture = Attachment("a.png", {"type": "image_url"})
    session.record(Exchange(Question("one", (picture,)), "first", "m"), None)
    session.record(Exchange(Question("two"), " ", "m", stopped=True), None)
    parts = [{"type": "image_url"}, {"type": "text", "text": "one"}]
    assert session.body(session.question("three"), stream=True, schema={"type": "object"}) == {
        "model": "sonnet",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": parts},
            {"role": "assistant", "content": "first"},
            {"role": "user", "content": "two"},
            {"role": "user", "content": "three"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "reasoning_effort": "high",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}},
    }
    assert Session().body(Question("q"), stream=False) == {
        "model": "default",
        "messages": [{"role": "user", "content": "q"}],
        "stream": False,
    }


def test_undo_gives_the_question_back_and_clear_forgets() -> None:
    session = Session()
    assert session.undo() is None
    first, second = Attachment("a", {}), Attachment("b", {})
    session.attached.append(first)
    session.record(Exchange(session.question("q"), "a", "m"), {"prompt_tokens": 3, "completion_tokens": 1})
    assert session.attached == []
    session.attached.append(second)
    assert session.undo() == Question("q", (first,))
    assert (session.attached, session.exchanges) == ([first, second], [])
    assert str(session.tokens).startswith("1 answer: 3 tokens in (0 of them cached), 1 out")
    session.clear()
    assert session == Session()


def test_tokens_are_added_up_and_stopped_answers_named() -> None:
    session = Session()
    assert str(session.tokens) == "No questions yet."
    usage = {
        "prompt_tokens": 1000,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 900},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    for each in (usage, usage, None):
        session.tokens.add(each)
    assert str(session.tokens) == (
        "3 answers: 2,000 tokens in (1,800 of them cached), 40 out (10 of them thinking). "
        "1 stopped early and not counted."
    )


def test_the_transcript_is_markdown() -> None:
    session = Session(system="be brief")
    session.record(Exchange(Question("one\ntwo", (Attachment("a.png", {}),)), "*yes*\n", "claude-x"), None)
    session.record(Exchange(Question("more"), "no", "claude-x", stopped=True), None)
    assert session.transcript() == (
        "# Chat\n\n## System\n\nbe brief\n\n## You\n\none\ntwo\n\n*(attached: a.png)*\n\n## claude-x\n\n*yes*\n\n"
        "## You\n\nmore\n\n## claude-x\n\nno\n\n*(stopped here)*\n"
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a...", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_pictures_are_known_by_their_bytes(data: bytes, kind: str | None) -> None:
    assert attach.image_type(data) == kind


def test_files_become_parts(tmp_path: Path) -> None:
    def made(name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        return str(tmp_path / name)

    def encoded(data: bytes) -> str:
        return base64.b64encode(data).decode()

    image = attach.image(made("a.png", PNG))
    assert image == Attachment(
        "a.png", {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{encoded(PNG)}"}}
    )
    assert attach.file(made("named.txt", PNG)).part == image.part
    text = attach.file(made("t.txt", b"\xef\xbb\xbfhi"))
    assert text.part["file"] == {"filename": "t.txt", "file_data": f"data:text/plain;base64,{encoded(b'hi')}"}
    assert attach.file(made("p", b"%PDF-x")).part["file"]["file_data"].startswith("data:application/pdf;base64,")
    wrong: list[tuple[Any, str, str]] = [
        (attach.image, made("x", b"text"), "not an image"),
        (attach.file, made("bin", b"\xff\xfe"), "neither text"),
        (attach.file, made("nul", b"a\0b"), "neither text"),
        (attach.file, made("blank", b" \n"), "is empty"),
        (attach.file, str(tmp_path), "Is a directory"),
        (attach.file, str(tmp_path / "none"), "No such file"),
        (attach.file, "a\0b", "cannot be read"),
        (attach.file, "~nobody-of-that-name/x", "cannot be read: Could not determine home directory.$"),
        (attach.image, made("head", b"\x89PNG\r\n\x1a\n"), "not an image"),
        (schema, made("s", b"{"), "is not JSON: Expecting"),
        (schema, made("s2", b"[]"), "a schema is an object"),
        (schema, made("s3", b"\xff\xff\xff"), "is not JSON"),
        (schema, made("s4", b'{"type": "strin"}'), 's4 is not a JSON Schema: schema.type: "strin" is not valid'),
        (schema, made("s5", b'{"$ref": "#/x"}'), "schema: the reference #/x cannot be resolved"),
    ]
    for read, name, why in wrong:
        with pytest.raises(Unusable, match=why) as error:
            read(name)
        assert "\n" not in str(error.value)
    good = schema(made("good", json.dumps({"type": "object", "required": ["n"]}).encode()))
    assert good.value == {"type": "object", "required": ["n"]}
    assert good.complaint('{"n": 1}') is None
    assert 'at $: "n" is a required property.' in str(good.complaint("{}"))
    assert "is not JSON" in str(good.complaint("[" * 100_000))
    items = schema(made("items", b'{"properties": {"a": {"items": {"type": "string"}}}}'))
    assert 'at $.a[1]: 2 is not of type "string".' in str(items.complaint('{"a": ["x", 2]}'))
    assert schema(made("odd", b'{"pattern": "(?<a"}')).complaint('"x"') is None


def test_a_file_over_the_limit_is_not_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attach, "LIMIT", 2**20)
    (tmp_path / "big").write_bytes(b"a" * (2**20 + 1))
    with pytest.raises(Unusable, match="over 1 MiB"):
        attach.file(str(tmp_path / "big"))

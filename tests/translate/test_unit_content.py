"""Parts of a message: carried as they are, or refused by name."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from translate.chat_bodies import PNG

from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import Media, Text
from claude_max.proxy.translate.chat.content import blocks_of, text_of
from claude_max.proxy.translate.chat.schema import Part


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def image(url: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def file(data: Any, name: Any = None, **more: Any) -> dict[str, Any]:
    return {"type": "file", "file": {"file_data": data, "filename": name, **more}}


def blocks(*parts: dict[str, Any]) -> list[Text | Media]:
    return blocks_of([Part.model_validate(part) for part in parts], "c")


JPEG, GIF, WEBP = b"\xff\xd8\xff\xe0JFIF", b"GIF89a....", b"RIFF\n\n\n\nWEBPVP8 "
PDF = b64(b"%PDF-1.7")

CARRIED: list[tuple[dict[str, Any], Text | Media]] = [
    ({"type": "text", "text": " a "}, Text(" a ")),
    ({"type": "refusal", "refusal": "no"}, Text("no")),
    (image(f"data:image/png;base64,{PNG}"), Media("image", "image/png", PNG)),
    (image(f"DATA:IMAGE/PNG;name=a;base64,{PNG}"), Media("image", "image/png", PNG)),
    (image(f"data:image/jpg;base64,{b64(JPEG)}"), Media("image", "image/jpeg", b64(JPEG))),
    (image(f"data:image/gif;base64,{b64(GIF)}"), Media("image", "image/gif", b64(GIF))),
    (image(f"data:image/webp;base64,{b64(WEBP)}"), Media("image", "image/webp", b64(WEBP))),
    (image("https://x/y.png"), Media("image", url="https://x/y.png")),
    ({"type": "image_url", "image_url": "http://x/y.png"}, Media("image", url="http://x/y.png")),
    (file(f"data:application/pdf;base64,{PDF}", "a.pdf"), Media("document", "application/pdf", PDF, title="a.pdf")),
    (file(PDF, "A.PDF"), Media("document", "application/pdf", PDF, title="A.PDF")),
    (file(b64(b"words"), "a.md"), Media("document", "text/plain", "words", title="a.md")),
    (file(b64("né".encode())), Media("document", "text/plain", "né")),
    (file(f"data:text/csv;base64,{b64(b'a,b')}"), Media("document", "text/plain", "a,b")),
    (file(f"data:application/json;charset=utf-8;base64,{b64(b'[]')}"), Media("document", "text/plain", "[]")),
    (file(f"data:;base64,{b64(b'words')}"), Media("document", "text/plain", "words")),
    (file(f"data:image/png;base64,{PNG}", "a.png"), Media("image", "image/png", PNG)),
]


@pytest.mark.parametrize(("part", "block"), CARRIED)
def test_carried(part: dict[str, Any], block: Text | Media) -> None:
    assert blocks(part) == [block]


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (image("ftp://x/y"), "c[0].image_url.url", "http"),
    (image(""), "c[0].image_url.url", "http"),
    (image(None), "c[0].image_url.url", "string"),
    (image("data:image/png,abc"), "c[0].image_url.url", "base64"),
    (image("data:image/png;base64,a%"), "c[0].image_url.url", "not valid base64"),
    (image("data:image/png;base64,aGk"), "c[0].image_url.url", "not valid base64"),
    (image("data:image/png;base64,"), "c[0].image_url.url", "empty"),
    (image("data:image/png;base64,é"), "c[0].image_url.url", "not valid base64"),
    (image(f"data:image/png;base64,{b64(JPEG)}"), "c[0].image_url.url", "the data is not image/png"),
    (image(f"data:image/svg+xml;base64,{PNG}"), "c[0].image_url.url", "image/svg+xml is not one of"),
    (image(f"data:;base64,{PNG}"), "c[0].image_url.url", "text/plain is not one of"),
    (file(None, file_id="file-1"), "c[0].file.file_id", "no file store"),
    (file(None), "c[0].file.file_data", "must be"),
    (file(5), "c[0].file.file_data", "must be"),
    (file("%%%"), "c[0].file.file_data", "not valid base64"),
    (file(b64(b"\xff\xfe")), "c[0].file.file_data", "UTF-8"),
    (file(b64(b"  ")), "c[0].file.file_data", "empty"),
    (file(f"data:application/zip;base64,{PDF}"), "c[0].file.file_data", "application/zip is not supported"),
    (file(f"data:image/gif;base64,{PNG}"), "c[0].file.file_data", "not image/gif"),
    ({"type": "input_audio", "input_audio": {}}, "c[0].type", "audio"),
    ({"type": "video"}, "c[0].type", "'video'"),
    ({"type": "text"}, "c[0].text", "missing"),
    ({"type": "image_url"}, "c[0].image_url", "missing"),
    ({"type": "file"}, "c[0].file", "missing"),
    ({"type": "refusal"}, "c[0].refusal", "missing"),
]


@pytest.mark.parametrize(("part", "param", "words"), REFUSED)
def test_refused(part: dict[str, Any], param: str, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        blocks(part)
    assert caught.value.param == param
    assert words in caught.value.message


def test_a_head_without_an_end_is_soon_refused() -> None:
    """Each parameter once cost a hundred times its length in memory."""
    with pytest.raises(BadRequest, match="data URL"):
        blocks_of([Part(type="image_url", image_url={"url": "data:image/png" + ";a=b" * 9 + ";base64,AAAA"})], "c")


@given(st.text(max_size=40), st.sampled_from(("data:image/png;base64,", "data:", "", "data:text/plain;base64,")))
def test_any_text_as_a_url_is_carried_or_refused(rest: str, head: str) -> None:
    for part in (image(head + rest), file(head + rest)):
        try:
            (found,) = blocks(part)
        except BadRequest:
            continue
        assert isinstance(found, Media)


def test_blank_texts_are_dropped_and_the_order_stays() -> None:
    assert blocks_of(None, "c") == blocks_of(" \n", "c") == blocks({"type": "text", "text": ""}) == []
    found = blocks(
        {"type": "text", "text": "a"}, image("https://x"), {"type": "text", "text": " "}, {"type": "text", "text": "b"}
    )
    assert found == [Text("a"), Media("image", url="https://x"), Text("b")]


def test_where_only_text_is_allowed() -> None:
    assert text_of("a", "c") == ["a"]
    with pytest.raises(BadRequest, match="only text"):
        text_of([Part.model_validate(image("https://x"))], "c")

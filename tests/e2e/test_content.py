"""Images, PDFs and files reach the model as the API's own blocks; what cannot be carried is a 400 that names it."""

import base64
import json
import os
import struct
import zlib
from typing import Any

import pytest
from harness.asking import PIXEL
from harness.proxy import OwnProxy, RunningProxy
from harness.upstream import expected, seen, user

PDF = base64.b64encode(b"%PDF-1.4\n%%EOF\n").decode()
NOTE = base64.b64encode(b"a note").decode()


def ask(proxy: RunningProxy, *parts: Any) -> Any:
    body = {"model": "sonnet", "messages": [{"role": "user", "content": list(parts)}]}
    return proxy.http.post("/v1/chat/completions", json=body)


def image(url: Any) -> Any:
    return {"type": "image_url", "image_url": {"url": url, "detail": "high"}}


def file(**fields: Any) -> Any:
    return {"type": "file", "file": fields}


CARRIED: list[tuple[Any, Any]] = [
    (
        image(f"data:image/png;base64,{PIXEL}"),
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    ),
    (
        image("https://example.com/cat.png"),
        {"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}},
    ),
    (
        file(filename="paper.pdf", file_data=f"data:application/pdf;base64,{PDF}"),
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
            "title": "paper.pdf",
        },
    ),
    (
        file(filename="note.txt", file_data=f"data:text/plain;base64,{NOTE}"),
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "a note"},
            "title": "note.txt",
        },
    ),
]


@pytest.mark.parametrize(("part", "block"), CARRIED, ids=["image", "image url", "pdf", "text"])
def test_carried(proxy: RunningProxy, marker: str, part: Any, block: Any) -> None:
    assert ask(proxy, {"type": "text", "text": marker}, part).status_code == 200
    (body,) = proxy.bodies(marker)
    assert seen(body) == expected(user(marker, block))


def test_a_large_image_is_made_smaller(proxy: RunningProxy, marker: str) -> None:
    """10 MB, over the API's own limit of 5 MB an image. Nothing is added to the prompt."""
    large = base64.b64encode(png(1600, 1600)).decode()
    assert len(large) > 10_000_000
    answer = ask(proxy, {"type": "text", "text": marker}, image(f"data:image/png;base64,{large}"))
    assert answer.status_code == 200, answer.text
    assert "messages: images made smaller" in answer.headers["x-claude-max-repaired"]
    (body,) = proxy.bodies(marker)
    text, carried = seen(body)["messages"][0]["content"]
    assert (text["text"], carried["type"]) == (marker, "image")
    # By lines, the CLI packs it once more, as it likes.
    assert carried["source"]["media_type"] == "image/png" or proxy.composition == "lines"
    assert 10_000 < len(carried["source"]["data"]) <= 5 * 1024 * 1024


def png(width: int, height: int) -> bytes:
    """An image of noise, uncompressed."""
    rows = b"".join(b"\0" + os.urandom(width * 3) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b""))
    packed = (struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


REFUSED: dict[str, Any] = {
    "audio": {"type": "input_audio", "input_audio": {"data": "x", "format": "wav"}},
    "unknown": {"type": "hologram"},
    "no text": {"type": "text"},
    "not base64": image("data:image/png;base64,!!!"),
    "empty": image("data:image/png;base64,"),
    "not a URL": image("cat.png"),
    "local file": image("file:///etc/passwd"),
    "not an image": image(f"data:application/zip;base64,{NOTE}"),
    "broken image": image(f"data:image/png;base64,{NOTE}"),
    "url a number": image(5),
    "file id": file(file_id="file-1"),
    "zip": file(filename="a.zip", file_data=f"data:application/zip;base64,{NOTE}"),
    "no data": file(filename="a.txt"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(proxy: RunningProxy, name: str) -> None:
    answer = ask(proxy, {"type": "text", "text": "x"}, REFUSED[name])
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["param"].startswith("messages[0].content[1]")


def test_the_prompt_overhead(own_proxy: OwnProxy, marker: str) -> None:
    """What is sent for a one-line prompt with the exact composition: at most 1,000 characters beside the prompt."""
    proxy = own_proxy()
    proxy.client.chat.completions.create(model="sonnet", messages=[{"role": "user", "content": marker}])
    (body,) = proxy.bodies(marker)
    assert len(json.dumps(body, ensure_ascii=False)) <= 1000

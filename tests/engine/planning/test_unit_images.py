"""Images that the service would refuse for their size."""

import base64
import importlib.util
import io
import os
from typing import Any

import pytest
from engine.turns import turn
from harness.shape import Shape
from PIL import Image

from claude_max.proxy.engine.planning import images
from claude_max.proxy.engine.planning.images import BYTES, ImageFitter, fits
from claude_max.proxy.errors import BadRequest
from claude_max.proxy.events import Block, Media, Message, Text, ToolResult, Turn
from claude_max.proxy.scripted.image_size import size


def picture(width: int, height: int, kind: str = "PNG", mode: str = "RGB", *, noise: bool = False) -> Media:
    if noise:
        made = Image.frombytes(mode, (width, height), os.urandom(width * height * len(mode)))
    else:
        made = Image.new(mode, (width, height), 7)
    written = io.BytesIO()
    made.save(written, kind)
    return Media("image", f"image/{kind.lower()}", base64.b64encode(written.getvalue()).decode(), title="t")


def asked(*blocks: Block) -> Turn:
    return turn(Message("user", blocks))


def only(made: Turn) -> Media:
    (block,) = made.messages[0].content
    assert isinstance(block, Media)
    return block


def sides(image: Media) -> tuple[int, int] | None:
    return size(base64.b64decode(image.data or ""))


# `given` are the arguments of `picture`, `expected` its sides then.
LARGE: dict[str, Shape] = {
    "a wide PNG": Shape("a PNG of 10,000 by 100 pixels", "8,000 by 80", (10_000, 100), (8000, 80)),
    "a tall JPEG": Shape("a JPEG of 50 by 9,000 pixels", "44 by 8,000", (50, 9000, "JPEG"), (44, 8000)),
    "a wide WebP": Shape("a WebP of 9,000 by 90 pixels", "8,000 by 80", (9000, 90, "WEBP"), (8000, 80)),
    "grey": Shape("a grey PNG of 10,000 by 100 pixels", "8,000 by 80", (10_000, 100, "PNG", "L"), (8000, 80)),
}


@pytest.mark.parametrize("name", LARGE)
def test_sides(name: str) -> None:
    """Its format stays, and its title."""
    given = picture(*LARGE[name].given)
    made = only(ImageFitter().fitted(asked(given)))
    assert sides(made) == LARGE[name].expected
    assert (made.media_type, made.title) == (given.media_type, "t")


def test_a_gif_becomes_a_png() -> None:
    made = only(ImageFitter().fitted(asked(picture(9000, 9, "GIF", "P"))))
    assert (made.media_type, sides(made)) == ("image/png", (8000, 8))


NOISE = {"PNG": (400, 325), "JPEG": (800, 650)}


@pytest.mark.parametrize("kind", NOISE)
def test_bytes(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise, which nothing packs. The same image becomes the same bytes: a prompt cache depends on them."""
    limit = BYTES // 16  # for smaller pictures
    monkeypatch.setattr(images, "BYTES", limit)
    given = picture(*NOISE[kind], kind, noise=True)
    assert len(given.data or "") > limit
    first, second = (only(ImageFitter().fitted(asked(given))) for _ in range(2))
    assert first == second
    assert limit // 3 < len(first.data or "") <= limit
    assert first.media_type == given.media_type


@pytest.mark.parametrize(("more", "expected"), [(0, True), (1, False)])
def test_the_limit_is_5_mb_of_base64(more: int, expected: bool) -> None:
    assert fits(Media("image", "image/png", "A" * (5 * 1024 * 1024 + more)), 8000) is expected


def test_what_fits_is_not_touched() -> None:
    given = asked(
        Text("a"), picture(100, 100), Media("image", url="https://x/y.png"), Media("image", "image/png", "QUJD")
    )
    assert ImageFitter().fitted(given) is given


def test_many_images_have_smaller_sides() -> None:
    """Those in results are counted, too."""
    large = picture(2500, 25)
    twenty = asked(*[large] * 20)
    assert ImageFitter().fitted(twenty) is twenty
    made = ImageFitter().fitted(asked(ToolResult("c", (large, Text("x"))), *[large] * 20))
    result, *rest = made.messages[0].content
    assert isinstance(result, ToolResult)
    found = [result.content[0], *rest]
    assert all(isinstance(image, Media) and sides(image) == (2000, 20) for image in found)
    assert result.content[1] == Text("x")


def test_more_than_a_hundred_are_refused() -> None:
    small = picture(1, 1)
    assert ImageFitter().fitted(asked(*[small] * 100)).messages
    with pytest.raises(BadRequest, match="101 images, at most 100"):
        ImageFitter().fitted(asked(*[small] * 101))


def test_without_pillow_the_limit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(
        BadRequest, match=r"10,000 by 100 pixels.* 8,000 a side and 5 MB.*claude-max-toolkit\[images\]"
    ) as caught:
        ImageFitter().fitted(asked(picture(10_000, 100)))
    assert caught.value.param == "messages"


def test_an_image_of_too_many_pixels_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "PIXELS", 1000)
    with pytest.raises(BadRequest, match="10,000 by 100 pixels"):
        ImageFitter().fitted(asked(picture(10_000, 100)))


def test_a_broken_image_is_the_services_to_refuse() -> None:
    whole = picture(10_000, 100)
    broken = Media("image", "image/png", (whole.data or "")[:400])
    assert not fits(broken, 8000)
    assert only(ImageFitter().fitted(asked(broken))) == broken


def test_an_image_that_comes_again_is_not_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def smaller(image: Media, side: int) -> Media:
        made.append(side)
        return image

    monkeypatch.setattr(images, "smaller", smaller)
    fitter, given = ImageFitter(), asked(picture(10_000, 100))
    fitter.fitted(given)
    fitter.fitted(given)
    assert made == [8000]
    monkeypatch.setattr(images, "KEPT", 1)
    fitter.fitted(asked(picture(10_000, 101)))
    fitter.fitted(given)
    assert made == [8000] * 3

"""The README's picture is what `serve` and `chat` print."""

import picture


def test_the_picture_is_current() -> None:
    assert picture.main(write=False) == 0, "uv run python tests/picture.py --write"


def test_it_asks_no_other_host() -> None:
    """Rich's own form has fonts fetched."""
    svg = picture.PICTURE.read_text(encoding="utf-8")
    assert "@font-face" not in svg
    assert "url(http" not in svg

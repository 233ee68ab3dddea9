"""A session stands for the key, ends, and cannot be guessed in a row."""

import pytest

from claude_max.proxy.web.sessions import MOST, SESSION_SECONDS, TRIES, TRY_SECONDS, Sessions, cookie_name, tokens_of


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_session_ends_by_itself_and_by_hand(clock: Clock) -> None:
    sessions = Sessions("k", clock)
    one, two = sessions.sign_in("k"), sessions.sign_in("k")
    assert one is not None
    assert two is not None
    assert one != two
    assert "k" not in (one, two)
    assert [sessions.holds(one), sessions.holds(two), sessions.holds("k"), sessions.holds("")] == [
        True,
        True,
        False,
        False,
    ]
    sessions.sign_out(one)
    assert [sessions.holds(one), sessions.holds(two)] == [False, True]
    clock.now += SESSION_SECONDS
    assert not sessions.holds(two)


@pytest.mark.parametrize("key", ["", "K", "k ", "k" * 10_000, "kö", "\x00"])
def test_a_wrong_key_is_no_session(clock: Clock, key: str) -> None:
    assert Sessions("k", clock).sign_in(key) is None


def test_a_server_without_a_key_has_no_sessions(clock: Clock) -> None:
    sessions = Sessions(None, clock)
    assert (sessions.needed, sessions.sign_in("")) == (False, None)


def test_wrong_keys_are_slowed_down(clock: Clock) -> None:
    sessions = Sessions("k", clock)
    tried = 0
    for _ in range(1000):
        if sessions.wait() == 0:
            assert sessions.sign_in("wrong") is None
            tried += 1
        clock.now += 0.1
    # 100 seconds.
    assert TRIES <= tried <= TRIES + 100 / TRY_SECONDS + 1
    clock.now += sessions.wait()
    assert sessions.sign_in("k") is not None


def test_right_keys_are_not_slowed_down(clock: Clock) -> None:
    sessions = Sessions("k", clock)
    for _ in range(3 * TRIES):
        assert sessions.wait() == 0
        assert sessions.sign_in("k") is not None


def test_the_oldest_session_goes_first(clock: Clock) -> None:
    sessions = Sessions("k", clock)
    tokens = [sessions.sign_in("k") or "" for _ in range(MOST + 3)]
    assert [sessions.holds(token) for token in tokens[:4]] == [False, False, False, True]
    assert sessions.holds(tokens[-1])


@pytest.mark.parametrize(
    ("cookies", "host", "tokens"),
    [
        ("claude_max_3456=abc", "localhost:3456", ["abc"]),
        ("a=b; claude_max_3456=abc; claude_max_1=x", "[::1]:3456", ["abc"]),
        ("claude_max_1=abc", "localhost:3456", []),
        ("claude_max=abc", "localhost", ["abc"]),
        ("", "localhost:3456", []),
        (";;;= claude_max_3456; claude_max_3456", "localhost:3456", [""]),
        # What other servers at this machine leave in a browser.
        ('a[b]=1; c={"d": 1}; e; f g=h; =; i="j, k"; l=é; claude_max_3456=abc', "localhost:3456", ["abc"]),
        ("claude_max_3456=tossed; claude_max_3456=abc;claude_max_3456=x", "localhost:3456", ["tossed", "abc", "x"]),
    ],
)
def test_cookies_are_of_one_server(cookies: str, host: str, tokens: list[str]) -> None:
    assert tokens_of(cookies, host) == tokens
    assert cookie_name(host).startswith("claude_max")

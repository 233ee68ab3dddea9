"""What the service is given of the user's environment, what it is not, and which program it names."""

from pathlib import Path

import pytest

from claude_max.cli.service.program import program
from claude_max.cli.service.spec import ServiceError, arguments, environment, left_out

SECRETS = {
    "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-secret",
    "ANTHROPIC_API_KEY": "sk-ant-api-secret",
    "ANTHROPIC_AUTH_TOKEN": "token-secret",
    "CLAUDE_MAX_API_KEY": "key-secret",
    "HTTPS_PROXY": "http://ada:password-secret@proxy:3128",
    "AWS_SECRET_ACCESS_KEY": "aws-secret",
}


def test_the_service_gets_what_it_must_know_and_nothing_secret() -> None:
    inherited = {
        **SECRETS,
        "HTTP_PROXY": "http://proxy:3128",
        "CLAUDE_CONFIG_DIR": "/ada/claude",
        "CLAUDE_MAX_WARM_WORKERS": "1",
        "ANTHROPIC_BASE_URL": "http://elsewhere",
        "PS1": "$",
    }
    assert environment(inherited, ["/ada/bin", "/usr/bin", "/ada/bin"], "C.UTF-8") == {
        "PATH": "/ada/bin:/usr/bin",
        "LANG": "C.UTF-8",
        "HTTP_PROXY": "http://proxy:3128",
        "CLAUDE_CONFIG_DIR": "/ada/claude",
        "CLAUDE_MAX_WARM_WORKERS": "1",
    }


def test_the_users_language_is_kept() -> None:
    assert environment({"LANG": "de_DE.UTF-8"}, ["/bin"], "C.UTF-8")["LANG"] == "de_DE.UTF-8"


def test_what_is_left_out_is_said_with_how_to_give_it_and_never_with_its_value() -> None:
    notes = left_out(
        {**SECRETS, "ANTHROPIC_BASE_URL": "x"}, secrets=Path("/c/service.env"), config=Path("/c/config.toml")
    )
    assert [note.split()[0] for note in notes] == [
        "CLAUDE_CODE_OAUTH_TOKEN",
        "CLAUDE_MAX_API_KEY",
        "ANTHROPIC_BASE_URL",
        "HTTPS_PROXY",
    ]
    assert "umask 077" in notes[0]
    assert "/c/service.env" in notes[0]
    assert not any(secret in note for note in notes for secret in SECRETS.values())


def test_on_macos_the_token_goes_into_the_keychain() -> None:
    [note] = left_out({"CLAUDE_CODE_OAUTH_TOKEN": "x"}, secrets=None, config=Path("/c/config.toml"))
    assert "claude-max login" in note
    assert "service.env" not in note


def test_only_given_flags_are_written() -> None:
    assert arguments(port=None, claude_path=None) == ("serve",)
    assert arguments(port=1, claude_path="/c d") == ("serve", "--port", "1", "--claude-path", "/c d")


def executable(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "tmp"), "PATH": "/bin", **more}


def test_a_link_is_named_and_not_what_it_leads_to(tmp_path: Path) -> None:
    real = executable(tmp_path / "tools/1.0/bin/claude-max")
    link = tmp_path / "bin/claude-max"
    link.parent.mkdir()
    link.symlink_to(real)
    named = program(environ(tmp_path), started_as=str(link), prefix=str(real.parents[1]), interpreter="/bin/python3")
    assert named == str(link)


def test_started_as_a_module_the_command_beside_the_interpreter_is_named(tmp_path: Path) -> None:
    real = executable(tmp_path / "venv/bin/claude-max")
    found = {"prefix": str(tmp_path / "venv"), "interpreter": str(real.parent / "python")}
    assert program(environ(tmp_path), started_as="/x/main.py", **found) == str(real)
    link = tmp_path / "bin/claude-max"
    link.parent.mkdir()
    link.symlink_to(real)
    assert program(environ(tmp_path, PATH=str(link.parent)), started_as="/x/main.py", **found) == str(link)


@pytest.mark.parametrize("place", ["home/.cache/uv/archive-v0/x", "home/Library/Caches/uv/x", "tmp/x", "own/x"])
def test_an_environment_that_is_thrown_away_is_refused(tmp_path: Path, place: str) -> None:
    real = executable(tmp_path / place / "bin/claude-max")
    with pytest.raises(ServiceError, match=r"uv tool install '\.\[cli\]'"):
        program(
            environ(tmp_path, UV_CACHE_DIR=str(tmp_path / "own")), started_as=str(real), prefix=str(tmp_path / place)
        )

"""What the server's page has of this machine: doctor is told of the options that the server was started with."""

from pathlib import Path
from typing import Any

from claude_max.cli.page import variables
from claude_max.proxy.config import load


def test_doctor_sees_the_settings_of_the_server(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('timeout = 50\napi_key = "secret"\n')
    environ = {"CLAUDE_MAX_CONFIG": str(file), "CLAUDE_MAX_WORKERS": "3"}
    options: dict[str, Any] = {
        "claude_path": "./claude",
        "log_content": True,
        "cors_origins": ["http://a"],
        "port": 0,
        "workers": 4,
    }
    settings, known = load(environ, **options), load(environ)
    told = variables(settings, known, 4000)
    assert told == {
        "CLAUDE_MAX_CLAUDE_PATH": "./claude",
        "CLAUDE_MAX_LOG_CONTENT": "true",
        "CLAUDE_MAX_CORS_ORIGINS": '["http://a"]',
        "CLAUDE_MAX_PORT": "4000",
        "CLAUDE_MAX_WORKERS": "4",
    }
    assert load({**environ, **told}).model_dump() == {**settings.model_dump(), "port": 4000}
    assert variables(known, known, known.port) == {}

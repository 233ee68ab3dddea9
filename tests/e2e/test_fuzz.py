"""schemathesis against the server's own OpenAPI document: no 5xx that a request alone can cause."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness.proxy import RunningProxy

# What is tried; the command has no options for single operations.
CONFIG = Path(__file__).with_name("schemathesis.toml")
# Hypothesis keeps its tables of Unicode here, which take a second to make.
TABLES = Path(tempfile.gettempdir()) / "claude-max-tests-cache" / "hypothesis"


def test_no_request_makes_the_server_fail(proxy: RunningProxy, tmp_path: Path) -> None:
    st = Path(sys.executable).parent / "st"
    done = subprocess.run(
        [st, "--config-file", CONFIG, "run", f"{proxy.url}/openapi.json", "--no-color"],
        env={**os.environ, "HYPOTHESIS_STORAGE_DIRECTORY": str(TABLES)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    paths = proxy.http.get("/openapi.json").json()["paths"]
    assert f"Tested: {sum(map(len, paths.values()))}" in done.stdout
    assert "Unresolvable" not in done.stdout
    assert "✅ Coverage" in done.stdout
    assert "✅ Fuzzing" in done.stdout

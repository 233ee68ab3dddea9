"""schemathesis against the server's own OpenAPI document: no 5xx that a request alone can cause."""

import subprocess
import sys
from pathlib import Path

from harness.proxy import RunningProxy


def test_no_request_makes_the_server_fail(proxy: RunningProxy, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            Path(sys.executable).parent / "st",
            *("run", f"{proxy.url}/openapi.json", "--checks", "not_a_server_error,content_type_conformance"),
            *("--phases", "coverage,fuzzing", "--max-examples", "40", "--generation-deterministic", "--no-color"),
        ],
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

"""A package index on loopback: its pages (the Simple Repository API, PEP 503 and 691), and the wheels of a test."""

import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO


@dataclass
class PackageIndex:
    """What it serves, by the name of the package and of the file; `asked` are the paths of the requests so far."""

    url: str
    files: dict[str, dict[str, bytes]]
    asked: list[str] = field(default_factory=list)


@contextmanager
def package_index(
    files: dict[str, dict[str, bytes]], *, answers: threading.Event | None = None
) -> Iterator[PackageIndex]:
    """Serves them. Where `answers` is given, nothing is answered before it is set."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            index.asked.append(self.path)
            if answers is not None:
                answers.wait(20)
            kind, body = _page(index, self.path, self.headers.get("Accept", ""))
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index = PackageIndex(f"http://127.0.0.1:{server.server_port}/simple", files)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield index
    finally:
        if answers is not None:
            answers.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _page(index: PackageIndex, path: str, accept: str) -> tuple[str, bytes]:
    package, _, name = path.removeprefix("/simple/").strip("/").partition("/")
    known = index.files.get(package, {})
    if name:
        return "application/octet-stream", known.get(name, b"")
    if not known:
        return "text/html", b""
    if accept == "application/vnd.pypi.simple.v1+json":
        listed = [{"filename": each, "url": each, "hashes": {}} for each in known]
        return accept, json.dumps({"meta": {"api-version": "1.1"}, "name": package, "files": listed}).encode()
    return "text/html", "".join(f'<a href="{each}">{each}</a>\n' for each in known).encode()


def wheel(name: str, version: str, tag: str, programs: dict[str, str]) -> tuple[str, bytes]:
    """A wheel and its file name: these programs, which may be run."""
    info = f"{name}-{version}.dist-info"
    texts = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/RECORD": "".join(f"{each},,\n" for each in [*programs, f"{info}/METADATA", f"{info}/WHEEL"]),
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in {**programs, **texts}.items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if path in programs else 0o100644) << 16
            archive.writestr(entry, text)
    return f"{name}-{version}-{tag}.whl", packed.getvalue()

"""The check that spends tokens: one tiny turn through the running proxy."""

import time

import httpx2

from ..port_check import Kind, address
from .finding import Finding, failed, ok
from .machine import Machine

# The smallest family; the question is answered with one word.
BODY = {
    "model": "haiku",
    "max_completion_tokens": 16,
    "messages": [{"role": "user", "content": "Answer with the one word: ok"}],
}
LIVE_SECONDS = 60.0


def check_live(machine: Machine) -> Finding | None:
    """One tiny request through the running proxy is answered; it spends a few tokens."""
    settings = machine.listening
    url = address(settings)
    if settings.port == 0 or machine.listener(settings).kind is not Kind.OURS:
        return failed(
            "live", f"No claude-max answers at {url}", "A live check needs a running proxy.", "claude-max serve"
        )
    key = settings.api_key
    headers = {"authorization": f"Bearer {key.get_secret_value()}"} if key else {}
    begun = time.monotonic()
    try:
        with httpx2.Client(timeout=LIVE_SECONDS, trust_env=False) as http:
            answer = http.post(f"{url}/v1/chat/completions", json=BODY, headers=headers)
        body = answer.json()
    except (httpx2.HTTPError, ValueError) as error:
        detail = "The proxy answers at /health, but does not answer requests."
        return failed("live", f"No answer from {url}: {error!r}", detail, "claude-max service logs")
    took = time.monotonic() - begun
    if not answer.is_success:
        said = body.get("error", {}).get("message") if isinstance(body, dict) else None
        return failed("live", f"The request ended with status {answer.status_code}", str(said or body)[:500])
    return ok("live", f"{body['model']} answered in {took:.1f} s")

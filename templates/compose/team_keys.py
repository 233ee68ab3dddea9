"""For LiteLLM (`custom_auth` in team.yaml): who may call, by the keys in TEAM_KEYS, without a database.

TEAM_KEYS is JSON, `{"ada": "sk-a-long-random-word", "bob": "sk-another"}`. The names are in LiteLLM's log.
"""

import hmac
import json
import os

from fastapi import HTTPException, Request
from litellm.proxy._types import UserAPIKeyAuth

KEYS: dict[str, str] = json.loads(os.environ["TEAM_KEYS"])


async def user_api_key_auth(request: Request, api_key: str) -> UserAPIKeyAuth:
    """Whose key it is. A 401 for any other."""
    for person, key in KEYS.items():
        if key and hmac.compare_digest(api_key.encode(), key.encode()):
            return UserAPIKeyAuth(api_key=api_key, user_id=person)
    raise HTTPException(401, "Unknown key.")

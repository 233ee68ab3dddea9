"""Names of models: which of them mean what to the CLI. Pure.

Never silently another model: a name is a known alias, a row of the CLI's own list, a full `claude-…` id (passed on, the
API decides), or an error that lists what there is.
"""

import re
from collections.abc import Mapping, Sequence

from ...errors import ModelNotFound
from ...events import JsonObject, Model

# What may stand in a full id; `[1m]` asks for a larger window, Bedrock and Vertex write versions with `:` and `@`.
_FULL_ID = re.compile(r"claude-[\w.:@\[\]-]{1,120}", re.ASCII)
SHOWN = 200

FAMILIES = ("opus", "sonnet", "haiku")

# The ids of the npm package this project grew from: families, whatever the newest member is.
SEED_IDS: Mapping[str, str] = {f"claude-{family}-4": family for family in FAMILIES}


def resolve(requested: str, offered: Sequence[Model], aliases: Mapping[str, str]) -> str:
    """The name to give the CLI for what a client asked for. Raises ModelNotFound.

    `aliases` are the user's own (`gpt-4o` → `sonnet`) and come first; a `provider/` prefix is ignored.
    """
    name = aliases.get(requested, requested)
    name = name.rsplit("/", 1)[-1]
    name = aliases.get(name, name)
    if name in SEED_IDS:
        return SEED_IDS[name]
    if name in FAMILIES or name == "default" or any(name == row.name for row in offered):
        return name
    # By a full id the CLI asks the API first whether there is such a model; by its own name for it, it knows.
    own = [row.name for row in offered if row.id == name]
    if own:
        return next((each for each in own if each in FAMILIES), own[0])
    if _FULL_ID.fullmatch(name):
        return name
    raise ModelNotFound(
        f"The model {requested[:SHOWN]!r} does not exist here. There are: {', '.join(ids(offered, aliases))}, and any "
        "full claude-… id.",
        hint="Give it a name of your own in the configuration (`aliases`).",
        param="model",
    )


def ids(offered: Sequence[Model], aliases: Mapping[str, str]) -> list[str]:
    """Every id a client may use, each once: the seed's, the families, what the CLI lists, the user's aliases."""
    listed = [name for row in offered for name in (row.id, row.name)]
    return list(dict.fromkeys([*SEED_IDS, *FAMILIES, *listed, *aliases]))


def model_object(id: str, created: int) -> JsonObject:
    """A model as `GET /v1/models` shows it; `created` is unix seconds."""
    return {"id": id, "object": "model", "created": created, "owned_by": "anthropic"}

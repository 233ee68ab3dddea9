"""Resolves model names to names that the CLI takes. Pure.

A name is a known alias, a name of the CLI's own, a full `claude-…` id (passed on; the API decides), or an error that
lists what there is; never silently another model. Another spelling of a name is that name: `Sonnet`, `sonnet:latest`
(ollama), `anthropic/claude-sonnet-4.5` (OpenRouter), `claude-4.5-sonnet` (Cursor).
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from ...config import OPENAI_NAMES
from ...errors import ModelNotFound
from ...events import JsonObject, Model

# Characters of a full id; `[1m]` selects a larger window, Bedrock and Vertex write versions with `:` and `@`.
_FULL_ID = re.compile(r"claude-[\w.:@\[\]-]{1,120}", re.ASCII)
SHOWN = 200

FAMILIES = ("opus", "sonnet", "haiku")
# Names that the CLI accepts besides those it lists ("Model configuration", code.claude.com), each with `[1m]` too.
CLI_NAMES = (*FAMILIES, "default", "fable", "best", "opusplan")
LARGE = "[1m]"

# The ids of the npm package that this project replaces: families; each means its newest member.
SEED_IDS: Mapping[str, str] = {f"claude-{family}-4": family for family in FAMILIES}
_LATEST = ":latest"
_DOTTED = re.compile(r"(claude-[a-z]+-\d)\.(\d+)(?=\Z|[-@\[:])")
_TURNED = re.compile(r"claude-([4-9])(?:[.-](\d))?-(opus|sonnet|haiku|fable)")


def resolve(requested: str, offered: Sequence[Model], aliases: Mapping[str, str]) -> str:
    """The name to give the CLI for what a client asked for. Raises ModelNotFound.

    `aliases` are the user's own (`gpt-4o` → `sonnet`, `gpt-*` → `haiku`) and come first, whole names before patterns; a
    `provider/` prefix is ignored.
    """
    name = _unaliased(requested, aliases)
    found = _known(name, offered) or _known(_spelled(name), offered)
    if found is None:
        raise _not_found(requested, name, offered, aliases)
    return found


def ids(offered: Sequence[Model], aliases: Mapping[str, str]) -> list[str]:
    """Every id a client may use, each once: the seed's, the families, what the CLI lists, the user's aliases.

    Without patterns, and without aliases that lead to no model.
    """
    listed = [name for row in offered for name in (row.id, row.name)]
    lost = lost_aliases(offered, aliases)
    own = [name for name in aliases if "*" not in name and name not in lost]
    return list(dict.fromkeys([*SEED_IDS, *FAMILIES, *listed, *own]))


def lost_aliases(offered: Sequence[Model], aliases: Mapping[str, str]) -> dict[str, str]:
    """The aliases that lead to no model, each with what it leads to."""
    leads = {name: _unaliased(target, aliases) for name, target in aliases.items()}
    return {
        name: aliases[name]
        for name, end in leads.items()
        if not (_known(end, offered) or _known(_spelled(end), offered))
    }


def row_of(name: str, offered: Sequence[Model]) -> Model | None:
    """The row of the CLI's list for a resolved name, None where it has none."""
    return next((row for row in offered if name in (row.name, row.id)), None)


def _unaliased(requested: str, aliases: Mapping[str, str]) -> str:
    name = _alias(requested, aliases)
    return _alias(name.rsplit("/", 1)[-1], aliases)


def _alias(name: str, aliases: Mapping[str, str]) -> str:
    if name in aliases:
        return aliases[name]
    return next((target for each, target in aliases.items() if "*" in each and fnmatchcase(name, each)), name)


def _spelled(name: str) -> str:
    """The name as the CLI and the API write it."""
    plain = name.lower().removesuffix(_LATEST)
    turned = _TURNED.fullmatch(plain)
    if turned is not None:
        plain = "-".join(part for part in ("claude", turned[3], turned[1], turned[2]) if part)
    return _DOTTED.sub(r"\1-\2", plain)


def _known(name: str, offered: Sequence[Model]) -> str | None:
    if name in SEED_IDS:
        return SEED_IDS[name]
    if name.removesuffix(LARGE) in CLI_NAMES or any(name == row.name for row in offered):
        return name
    # For a full id the CLI first asks the API whether the model exists; for its own names it does not.
    own = [row.name for row in offered if row.id == name]
    if own:
        return next((each for each in own if each in FAMILIES), own[0])
    is_full = _FULL_ID.fullmatch(name) and not _DOTTED.search(name) and not name.endswith(_LATEST)
    return name if is_full and not _TURNED.fullmatch(name) else None


def _not_found(requested: str, name: str, offered: Sequence[Model], aliases: Mapping[str, str]) -> ModelNotFound:
    listed = ids(offered, aliases)
    near = difflib.get_close_matches(_spelled(name)[:SHOWN], [*listed, *CLI_NAMES], n=1, cutoff=0.7)
    means = f"; did you mean {near[0]}?" if near else "."
    leads = f" (an alias leads to {name[:SHOWN]!r})" if name != requested.rsplit("/", 1)[-1] else ""
    hint = "Give it a name of your own in the configuration (`aliases`)."
    if any(fnmatchcase(name, pattern) for pattern in OPENAI_NAMES):
        hint += " OpenAI's usual names are served with the setting `openai_names = true`."
    return ModelNotFound(
        f"The model {requested[:SHOWN]!r}{leads} does not exist here{means} There are: {', '.join(listed)}, and any "
        "full claude-… id.",
        hint=hint,
        param="model",
    )


def model_object(id: str, created: int, row: Model | None = None) -> JsonObject:
    """A model as `GET /v1/models` shows it; `created` is unix seconds.

    Beside OpenAI's fields those by which clients of other servers learn more of it, as far as it is known:
    `context_length`, `architecture`, `name`, `description` and `canonical_slug`, the full id that it resolves to
    (OpenRouter), `max_model_len` (vLLM).
    """
    shown: JsonObject = {"id": id, "object": "model", "created": created, "owned_by": "anthropic"}
    if row is None:
        return shown
    known = {
        "canonical_slug": row.id,
        "name": row.display_name or None,
        "description": row.description or None,
        "context_window": row.context_window,
        "context_length": row.context_window,
        "max_model_len": row.context_window,
        "max_output_tokens": row.max_output,
        "reasoning_efforts": list(row.efforts) or None,
        "architecture": {"input_modalities": ["text", "image", "file"], "output_modalities": ["text"]},
    }
    return {**shown, **{name: value for name, value in known.items() if value is not None}}

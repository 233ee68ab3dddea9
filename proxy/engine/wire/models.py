"""Parses the CLI's list of models. Pure."""

from ...events import JsonObject, Model


def models_of(answer: JsonObject) -> tuple[Model, ...]:
    """The rows of the CLI's answer to `initialize` (field `models`, Claude Code 2.1.330); none where it has no list.

    A row needs a `value`, the name that the CLI takes. Anything else may be missing.
    """
    rows = answer.get("models")
    return tuple(
        _model(row) for row in (rows if isinstance(rows, list) else ()) if isinstance(row, dict) and row.get("value")
    )


def _model(row: JsonObject) -> Model:
    efforts = row.get("supportedEffortLevels") if row.get("supportsEffort") else ()
    off = row.get("supportsThinkingOff")
    return Model(
        name=str(row["value"]),
        id=str(row.get("resolvedModel") or row["value"]),
        display_name=str(row.get("displayName") or ""),
        description=str(row.get("description") or ""),
        efforts=tuple(map(str, efforts)) if isinstance(efforts, list) else (),
        thinking_off=off if isinstance(off, bool) else None,
    )

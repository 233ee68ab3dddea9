"""The usage of a turn, from its `result` line. Pure.

`model_usage_since_last_result` counts every call that the CLI made for the turn, by model, with its value at list price
(`costUSD`, Claude Code 2.1.330). It is empty for a turn that was refused, and an older CLI does not have it.
"""

from ...events import JsonObject, Usage
from ...receipts import Spent


def spent(result: JsonObject, counted: Usage) -> Spent:
    """What the turn used. `counted` is what its answer told, which stands where the CLI told nothing."""
    models = result.get("model_usage_since_last_result")
    told = [each for each in models.values() if isinstance(each, dict)] if isinstance(models, dict) else []
    if not told:
        # Nothing was counted, so nothing is owed.
        return Spent(counted, None if counted.prompt or counted.output else 0.0)
    costs = [cost for each in told if isinstance(cost := each.get("costUSD"), int | float)]
    bases = sorted({str(each.get("costBasis") or "") for each in told})
    return Spent(
        Usage(
            input=_sum(told, "inputTokens"),
            cache_read=_sum(told, "cacheReadInputTokens"),
            cache_creation=_sum(told, "cacheCreationInputTokens"),
            output=_sum(told, "outputTokens"),
            reasoning=_sum(told, "thinkingTokens"),
        ),
        sum(costs) if len(costs) == len(told) else None,
        "+".join(bases),
    )


def _sum(models: list[JsonObject], name: str) -> int:
    return sum(count for each in models if isinstance(count := each.get(name), int))

"""What an API dialect may carry, and how a dialect's column says whether it does. No tests here.

Each dialect has a file of its own beside this one, with its `TITLE`, its `PATHS`, and `ROWS`: what it does with each
feature. `dialect_table.py` makes `docs/dialects.md` of them.
"""

from dataclasses import dataclass
from typing import Literal

# yes · named: accepted without effect, and named in `x-claude-max-ignored` · refused: an error that says what to do ·
# no: the API has no such thing
State = Literal["yes", "named", "refused", "no"]


@dataclass(frozen=True, slots=True)
class Row:
    """What a dialect does with a feature.

    `test` shows it: the file below `tests`, and the name of the function. Only "no" needs none. `note` is a few words.
    """

    state: State
    test: str = ""
    note: str = ""


FEATURES = {
    "whole": "Whole answers",
    "streamed": "Streamed answers",
    "system": "System prompt",
    "images": "Images by URL and base64",
    "files": "PDF and text files",
    "functions": "Functions",
    "parallel": "Parallel calls, arguments streamed",
    "results": "Images in results",
    "choice": "Tool choice",
    "strict": "Strict arguments",
    "custom": "Tools with plain text for input",
    "namespaces": "Namespaces of tools",
    "web_search": "The service's web search",
    "hosted": "Other tools of the API's own servers",
    "schema": "JSON Schema for the answer",
    "json": "JSON mode",
    "effort": "Effort",
    "thinking": "Thinking shown",
    "thinking_back": "Thinking carried back",
    "stored": "Going on from a stored answer",
    "compaction": "Compaction",
    "limit": "Limit of output tokens",
    "stop": "Stop sequences",
    "sampling": "Temperature, top_p",
    "several": "Several answers",
    "logprobs": "Log probabilities",
    "metadata": "Metadata",
    "begun": "Going on from a begun answer",
    "citations": "Citations",
    "marks": "Prompt cache marks of the client's own",
    "prewarm": "Filling the prompt cache without an answer",
    "count": "Counting tokens",
    "usage": "Usage with cached and thinking tokens",
    "ignored": "What has no effect is named",
    "failures": "Failures in the API's own form",
    "failures_streamed": "Failures in mid-stream",
}

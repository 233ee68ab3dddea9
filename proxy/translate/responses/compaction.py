"""Compaction: replaces a conversation by one item with its summary. Pure.

OpenAI's servers do it by `POST /v1/responses/compact`, or where the last item of a request is a `compaction_trigger`
(API reference, "Compaction"; Codex uses the second and takes exactly one `compaction` item). Here the model is asked
for a summary, and the item's `encrypted_content` holds it as base64.
"""

from ...events import Event, Finished, JsonObject, Started, TextDelta
from .answer import ResponsesReply
from .kept import with_ids
from .output import OutputItem, Told
from .summary import packed

TRIGGER = "compaction_trigger"
PROMPT = (
    "The conversation up to here is about to be replaced by a summary, from which you will go on. Write that summary: "
    "what was asked for, what was done and decided and why, what was found out (names, paths, values, the exact words "
    "that matter), and what is left to do. Leave out nothing that you will need. Answer with the summary alone."
)


class CompactionItem(OutputItem):
    """The summary. It is sent only when it is complete."""

    prefix = "cmp"

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._text: list[str] = []

    def say(self, text: str) -> None:
        """More of the summary."""
        self._text.append(text)

    def _form(self) -> JsonObject:
        return {"type": "compaction", "encrypted_content": packed("".join(self._text))}


class CompactionReply(ResponsesReply):
    """The answer to a `compaction_trigger`: one item, and nothing of how the model came to it."""

    def _fed(self, event: Event) -> list[Told]:
        match event:
            case TextDelta(text):
                told, item = self._current(CompactionItem, CompactionItem)
                item.say(text)
                return told
            case Started() | Finished():
                return super()._fed(event)
        return []


class CompactedReply(CompactionReply):
    """The answer of `POST /v1/responses/compact`: the user's messages, then the item."""

    def whole(self) -> JsonObject:
        """The `response.compaction` object."""
        response = super().whole()
        # The last one is our own request for the summary.
        users = tuple(item for item in self._asked.input[:-1] if item.get("role") == "user")
        return {
            "id": response["id"],
            "object": "response.compaction",
            "created_at": response["created_at"],
            "output": [*with_ids(users, self._meta), *response["output"]],
            "usage": response["usage"],
        }

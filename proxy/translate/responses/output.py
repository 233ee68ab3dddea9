"""Output items of an unfinished answer: each produces the events of its part of the stream. Pure.

The sequence of each kind is OpenAI's (API reference, "Streaming events"): the item is added, its text comes in deltas,
then the text, its part and the item are done, each sent whole. An event here is its type and its own fields; the
response adds the position of the item.
"""

from ...events import JsonObject, RedactedThinking, Thinking
from ..common.web_search import CitedText, Source
from .options import Options
from .thinking import encrypted

Told = tuple[str, JsonObject]


class OutputItem:
    """One item. `ended` says that nothing is added to it any more. A kind of item gives it its form by the rest."""

    prefix = ""

    def __init__(self, id: str) -> None:
        """`id` is without the prefix of its kind."""
        self.id = f"{self.prefix}_{id}"
        self.ended = False
        self.status = "in_progress"

    def begin(self) -> list[Told]:
        """The events of its beginning."""
        return [("response.output_item.added", {"item": self._added()}), *self._begun()]

    def close(self, status: str) -> list[Told]:
        """The events of its end; `status` is `completed` or `incomplete`."""
        told = self._closed(status)
        return [*told, ("response.output_item.done", {"item": self.whole()})]

    def whole(self) -> JsonObject:
        """The item as the response contains it, once it is closed."""
        return {"id": self.id, **self._form()}

    def kept(self) -> JsonObject:
        """The item with all that a next request needs of it."""
        return self.whole()

    def _form(self) -> JsonObject:
        """What it is, as far as it came."""
        raise NotImplementedError

    def _added(self) -> JsonObject:
        return self.whole()

    def _begun(self) -> list[Told]:
        return []

    def _closed(self, status: str) -> list[Told]:
        """The events before the complete item, which has its final status from here on."""
        self.status = status
        return []


class MessageItem(OutputItem):
    """What the model says: one part of text, from as many blocks of the service's as stand side by side."""

    prefix = "msg"

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._text = CitedText()

    def say(self, text: str) -> list[Told]:
        """More of its text."""
        self._text.say(text)
        return [("response.output_text.delta", {"content_index": 0, "delta": text, "logprobs": []})]

    def cite(self, citation: JsonObject) -> None:
        """A source of the block that is being written."""
        self._text.cite(citation)

    def end_block(self) -> list[Told]:
        """The annotations of the block that ends."""
        first = len(self._text.sources)
        return [
            (
                "response.output_text.annotation.added",
                {"content_index": 0, "annotation_index": index, "annotation": _annotation(source)},
            )
            for index, source in enumerate(self._text.end_block(), first)
        ]

    def _added(self) -> JsonObject:
        return {**self.whole(), "content": []}

    def _begun(self) -> list[Told]:
        return [("response.content_part.added", {"content_index": 0, "part": self._part()})]

    def _closed(self, status: str) -> list[Told]:
        told = self.end_block()
        self.status = status
        part = self._part()
        return [
            *told,
            ("response.output_text.done", {"content_index": 0, "text": part["text"], "logprobs": []}),
            ("response.content_part.done", {"content_index": 0, "part": part}),
        ]

    def _form(self) -> JsonObject:
        return {"type": "message", "status": self.status, "role": "assistant", "content": [self._part()]}

    def _part(self) -> JsonObject:
        annotations = [_annotation(source) for source in self._text.sources]
        return {"type": "output_text", "text": str(self._text), "annotations": annotations, "logprobs": []}


def _annotation(source: Source) -> JsonObject:
    place = {"start_index": source.start, "end_index": source.end}
    return {"type": "url_citation", **place, "url": source.url, "title": source.title}


class ReasoningItem(OutputItem):
    """One thinking block. Its text is shown as a summary, where summaries are asked for."""

    prefix = "rs"

    def __init__(self, id: str, options: Options) -> None:
        super().__init__(id)
        self._options = options
        self._text: list[str] = []
        self._signature: list[str] = []
        self._redacted: RedactedThinking | None = None

    @property
    def signed(self) -> bool:
        """Whether its signature came, which is the last of it."""
        return bool(self._signature)

    def think(self, text: str) -> list[Told]:
        """More of its text."""
        is_first = not any(self._text)
        self._text.append(text)
        if not self._options.summaries or not text:
            return []
        empty = {"summary_index": 0, "part": {"type": "summary_text", "text": ""}}
        opening: list[Told] = [("response.reasoning_summary_part.added", empty)] if is_first else []
        return [*opening, ("response.reasoning_summary_text.delta", {"summary_index": 0, "delta": text})]

    def sign(self, signature: str) -> None:
        """Its signature, or more of it."""
        self._signature.append(signature)

    def redact(self, block: RedactedThinking) -> None:
        """It has no text, and comes whole."""
        self._redacted = block
        self.ended = True

    def kept(self) -> JsonObject:
        """With the thinking itself, whether or not the client asked for it."""
        block = self._redacted or Thinking("".join(self._text), "".join(self._signature))
        # Without a signature the service would not accept it.
        carried = {"encrypted_content": encrypted(block)} if self._redacted or self.signed else {}
        return {"id": self.id, **self._shown(), **carried}

    def _closed(self, status: str) -> list[Told]:
        told: list[Told] = []
        for part in self._shown()["summary"]:
            told.append(("response.reasoning_summary_text.done", {"summary_index": 0, "text": part["text"]}))
            told.append(("response.reasoning_summary_part.done", {"summary_index": 0, "part": part}))
        return told

    def _added(self) -> JsonObject:
        return {"id": self.id, "type": "reasoning", "summary": []}

    def _form(self) -> JsonObject:
        return self.kept() if self._options.encrypted else self._shown()

    def _shown(self) -> JsonObject:
        shown = self._text and self._options.summaries
        return {
            "type": "reasoning",
            "summary": [{"type": "summary_text", "text": "".join(self._text)}] if shown else [],
        }


class SearchItem(OutputItem):
    """A web search that the service ran: its call comes whole, then its result."""

    prefix = "ws"

    def __init__(self, id: str, call: JsonObject, options: Options) -> None:
        super().__init__(id)
        self._options = options
        self._query = str((call.get("input") or {}).get("query", ""))
        self._sources: list[JsonObject] = []
        self._failed = False

    def result(self, block: JsonObject) -> None:
        """What was found: a list of pages, or an error object."""
        content = block.get("content")
        self._failed = not isinstance(content, list)
        if isinstance(content, list):
            pages = [page.get("url") for page in content if isinstance(page, dict)]
            self._sources = [{"type": "url", "url": url} for url in pages if url]

    def _begun(self) -> list[Told]:
        return [("response.web_search_call.in_progress", {}), ("response.web_search_call.searching", {})]

    def _closed(self, status: str) -> list[Told]:
        self.status = "failed" if self._failed else status
        return [("response.web_search_call.completed", {})]

    def _form(self) -> JsonObject:
        action: JsonObject = {"type": "search", "query": self._query, "queries": [self._query]}
        if self._options.sources:
            action["sources"] = list(self._sources)
        return {"type": "web_search_call", "status": self.status, "action": action}

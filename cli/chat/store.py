"""The last conversation on disk, for `chat -c`: one private file of bounded size, written after each answer.

`history = false` in the settings turns it off, and the prompt's history with it.
"""

import json
from pathlib import Path
from typing import Any

from platformdirs import user_state_path

from claude_max.proxy.events import JsonObject
from claude_max.proxy.text_files import replace_text

from .commands import Unusable
from .session import Attachment, Exchange, Question, Session

# Bytes; the oldest exchanges are dropped first.
LIMIT = 8 * 1024 * 1024
FORM = 1


def path() -> Path:
    """The path of the file."""
    return user_state_path("claude-max") / "conversation.json"


def save(session: Session) -> None:
    """Stores the conversation; does nothing if it cannot be written."""
    exchanges = list(session.exchanges)
    while exchanges and len(text := _dumped(session, exchanges)) > LIMIT:
        del exchanges[0]
    if not exchanges:
        return
    try:
        path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(path(), text)
    except OSError:
        return


def load(session: Session) -> None:
    """Loads the last conversation into `session`, whose own settings win. Raises Unusable if there is none."""
    try:
        found: Any = json.loads(path().read_text("utf-8"))
        exchanges = [_exchange(each) for each in found["exchanges"]] if found["form"] == FORM else []
        model, system, effort = str(found["model"]), str(found["system"]), found["effort"]
    except FileNotFoundError:
        raise Unusable("No conversation to continue yet.") from None
    except (OSError, ValueError, KeyError, TypeError):
        raise Unusable(f"{path()} cannot be read. Remove it to start over.") from None
    session.exchanges = exchanges
    session.model = model if session.model == "default" else session.model
    session.system = session.system or system
    session.effort = session.effort or effort


def _dumped(session: Session, exchanges: list[Exchange]) -> str:
    whole = {"form": FORM, "model": session.model, "system": session.system, "effort": session.effort}
    return json.dumps({**whole, "exchanges": [_data(each) for each in exchanges]}, ensure_ascii=False)


def _data(exchange: Exchange) -> JsonObject:
    question = exchange.question
    attached = [{"name": each.name, "part": each.part} for each in question.attachments]
    said = {"question": question.text, "attached": attached, "answer": exchange.answer}
    return {**said, "model": exchange.model, "stopped": exchange.stopped}


def _exchange(data: JsonObject) -> Exchange:
    attached = tuple(Attachment(str(each["name"]), dict(each["part"])) for each in data["attached"])
    question = Question(str(data["question"]), attached)
    return Exchange(question, str(data["answer"]), str(data["model"]), bool(data["stopped"]))

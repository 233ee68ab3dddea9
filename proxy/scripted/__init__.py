"""A scripted Anthropic Messages API on loopback: what the real `claude` binary is pointed at when no model is wanted.

`serve --demo`, the contract check of a CLI, and the tests use it through ANTHROPIC_BASE_URL. No model, no account, no
network. Nothing here may import any other part of claude_max.

reply           the vocabulary of an answer: Reply, its blocks, Failure, Drop (pure)
events          an answer as the stream events and the JSON message of the Messages API (pure)
directive_keys  the keys of a directive: the reference of them, and whether one keeps to them (pure)
directive       `scripted: {JSON}` lines in a prompt, made into the parts of an answer (pure)
script          what to answer to a request body (pure)
schema          the smallest instance of a JSON schema (pure)
limits          max_tokens and stop_sequences, honoured (pure)
rules           what the real API refuses: which rules there are, and which may be left out (pure)
rules_messages  … of the conversation: roles, empty content, calls and results (pure)
rules_thinking  … of thinking: configuration, place, context_management (pure)
rules_tools     … of tools and the choice among them (pure)
rules_schema    … of the schemas of structured outputs and strict tools (pure)
rules_cache     … of cache marks (pure)
rules_media     … of images (pure)
image_size      the kind and the size of an image, from its first bytes (pure)
signing         thinking signed when it is sent, and checked when it comes back (pure)
models          what each model takes, by its name (pure)
walk            the blocks of a request in the service's order (pure)
prompt_cache    what a request reads and writes of the prompt cache
exchange        the record of what arrived, and waiting for it
server          the wire, inward: ScriptedAPI
response        the wire, outward: an answer as SSE or JSON
serving         uvicorn around it, in this loop or in a thread
"""

from .exchange import Exchange
from .prompt_cache import CacheTotals, CacheUse, PromptCache
from .reply import Block, Drop, Failure, Once, OtherBlock, Reply, TextBlock, ThinkingBlock, ToolUseBlock, Usage
from .rules import ALL, STRICT, refusal
from .script import answer
from .server import ScriptedAPI
from .serving import ScriptedServer, scripted_in_thread, serve_scripted
from .signing import sign

__all__ = [
    "ALL",
    "STRICT",
    "Block",
    "CacheTotals",
    "CacheUse",
    "Drop",
    "Exchange",
    "Failure",
    "Once",
    "OtherBlock",
    "PromptCache",
    "Reply",
    "ScriptedAPI",
    "ScriptedServer",
    "TextBlock",
    "ThinkingBlock",
    "ToolUseBlock",
    "Usage",
    "answer",
    "refusal",
    "scripted_in_thread",
    "serve_scripted",
    "sign",
]

"""A scripted Anthropic Messages API on loopback, for the real `claude` binary to use instead of a model.

`serve --demo`, the contract check of a CLI, and the tests use it through ANTHROPIC_BASE_URL. No model, no account, no
network. Nothing here may import any other part of claude_max.

reply           the types of an answer: Reply, its blocks, Failure, Drop (pure)
events          an answer as the stream events and the JSON message of the Messages API (pure)
directive_keys  the keys of a directive: their reference and validation (pure)
directive       parses `scripted: {JSON}` lines in a prompt into the parts of an answer (pure)
script          decides the answer to a request body (pure)
schema          the smallest instance of a JSON schema (pure)
limits          applies max_tokens and stop_sequences (pure)
rules           what the real API refuses: the list of rules, and which are optional (pure)
rules_messages  … of the conversation: roles, empty content, calls and results (pure)
rules_thinking  … of thinking: configuration, place, context_management (pure)
rules_tools     … of tools and tool choice (pure)
rules_schema    … of the schemas of structured outputs and strict tools (pure)
rules_cache     … of cache marks (pure)
rules_media     … of images (pure)
image_size      the kind and the size of an image, from its first bytes (pure)
signing         signs thinking when it is sent, and checks it when it is returned (pure)
models          what each model accepts, by its name (pure)
walk            the blocks of a request in the service's order (pure)
prompt_cache    computes what a request reads from and writes to the prompt cache
exchange        records requests, and waits for them
server          receives requests: ScriptedAPI
response        sends an answer as SSE or JSON
serving         runs it with uvicorn, in this loop or in a thread
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

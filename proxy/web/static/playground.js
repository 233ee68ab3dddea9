// One question and its answer, as it is streamed by /v1/chat/completions, with the receipt in its headers.

import { $, el, facts, say } from "./dom.js";
import { count, dollars, percent, seconds, span } from "./format.js";

const PATH = "/v1/chat/completions";

export class Playground {
  #abort = null;
  #id = "";
  #receipt = [];

  constructor() {
    $("ask").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    $("prompt").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("ask").requestSubmit();
    });
    $("stop").addEventListener("click", () => this.#abort?.abort());
  }

  models(names) {
    const wanted = names.length ? names : ["default"];
    const known = [...$("model").options].map((option) => option.value);
    if (known.join("\n") === wanted.join("\n")) return;
    const chosen = $("model").value;
    $("model").replaceChildren(...wanted.map((name) => el("option", {}, name)));
    if (wanted.includes(chosen)) $("model").value = chosen;
  }

  /** The ledger's row of the request, once it is over: what the headers could not tell yet. */
  settled(row) {
    if (row.id !== this.#id) return;
    this.#add(["List price", row.calls ? dollars(row.cost) : "–"], ["Total", `${seconds(row.total_ms)} s`]);
  }

  async #ask() {
    if (this.#abort) return;
    this.#abort = new AbortController();
    this.#id = "";
    this.#receipt = [];
    $("answer").hidden = false;
    $("thinking").hidden = true;
    for (const id of ["answer-text", "thinking-text", "answer-error"]) say($(id), "");
    facts($("receipt"), []);
    say($("answer-state"), "Asking");
    $("send").disabled = true;
    $("stop").hidden = false;
    $("answer").dataset.busy = "";
    try {
      await this.#stream();
      say($("answer-state"), "The answer is complete");
    } catch (error) {
      const left = error.name === "AbortError";
      say($("answer-error"), left ? "Stopped." : error instanceof TypeError ? "The connection was lost." : error.message);
      say($("answer-state"), "");
    } finally {
      this.#abort = null;
      $("send").disabled = false;
      $("stop").hidden = true;
      delete $("answer").dataset.busy;
    }
  }

  async #stream() {
    const messages = [{ role: "user", content: $("prompt").value }];
    if ($("system").value.trim()) messages.unshift({ role: "system", content: $("system").value });
    const effort = $("effort").value;
    const body = { model: $("model").value, messages, stream: true, stream_options: { include_usage: true }, ...(effort ? { reasoning_effort: effort } : {}) };
    const answer = await fetch(PATH, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: this.#abort.signal,
    });
    this.#id = answer.headers.get("x-request-id") ?? "";
    this.#headers(answer);
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      const wait = answer.headers.get("retry-after");
      throw new Error(`${answer.status}: ${told?.error?.message ?? "no reason was given"}${wait ? ` Try again in ${span(Number(wait))}.` : ""}`);
    }
    for await (const chunk of events(answer.body)) {
      if (chunk.error) throw new Error(chunk.error.message);
      this.#take(chunk);
    }
  }

  #take(chunk) {
    const delta = chunk.choices?.[0]?.delta ?? {};
    if (delta.content) $("answer-text").append(delta.content);
    if (delta.reasoning_content) {
      $("thinking").hidden = false;
      $("thinking-text").append(delta.reasoning_content);
    }
    if (chunk.usage) {
      const cached = chunk.usage.prompt_tokens_details?.cached_tokens ?? 0;
      this.#add(["Model", chunk.model], ["Input", `${count(chunk.usage.prompt_tokens)} tokens, ${count(cached)} cached`], ["Output", `${count(chunk.usage.completion_tokens)} tokens`]);
    }
  }

  #headers(answer) {
    const of = (name) => answer.headers.get(name);
    const timing = (of("server-timing") ?? "").split(",").map((part) => part.trim().match(/^(\w+);dur=([\d.]+)$/)).filter(Boolean);
    this.#add(
      ...timing.map(([, name, value]) => [{ prepare: "Prepared in", queue: "Queued for", first: "First event after" }[name] ?? name, `${value} ms`]),
      of("x-claude-max-way") && ["Way", of("x-claude-max-way").replace(";", ",")],
      of("x-claude-max-cached") && ["Cached", percent(Number(of("x-claude-max-cached")))],
      of("x-claude-max-window") && ["Plan", of("x-claude-max-window")],
      of("x-claude-max-warning") && ["Warning", of("x-claude-max-warning")],
      of("x-claude-max-ignored") && ["Without effect", of("x-claude-max-ignored")],
      of("x-claude-max-repaired") && ["Repaired", of("x-claude-max-repaired")],
      this.#id && ["Request", el("code", {}, this.#id)]);
  }

  #add(...pairs) {
    this.#receipt.push(...pairs.filter(Boolean));
    facts($("receipt"), this.#receipt);
  }
}

/** The JSON of server-sent events, as they come. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  while (true) {
    const { done, value } = await reader.read();
    if (done) return;
    held += value;
    const lines = held.split("\n");
    held = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") yield JSON.parse(line.slice(6));
    }
  }
}

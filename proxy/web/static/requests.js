// Requests as they happen, and those of before: the latest from the live connection, older ones from the ledger.

import { read } from "./api.js";
import { $, el, say } from "./dom.js";
import { count, dollars, moment, percent, plural, seconds, tokens } from "./format.js";

// Rows in the table at most until older ones are asked for.
const KEPT = 100;
const DIALECTS = { chat_completions: "chat completions", ollama_chat: "ollama chat", ollama_generate: "ollama generate" };
const STATES = { waiting: "waits for a worker", asking: "asks the model", answering: "answers" };

export class Requests {
  #rows = new Map();
  #running = [];
  #older = false;
  #seeded = false;
  #clock;

  /** `clock` is the server's time in unix seconds. */
  constructor(clock) {
    this.#clock = clock;
    $("older").addEventListener("click", () => this.#showOlder());
  }

  clear() {
    this.#rows.clear();
    this.#running = [];
    this.#older = this.#seeded = false;
    this.#draw();
    this.running([]);
  }

  /** What the server remembers; it replaces what may have been missed. */
  async snapshot(rows) {
    for (const row of rows) this.#rows.set(row.id, row);
    this.#draw();
    if (!this.#seeded) {
      this.#seeded = true;
      await this.#fetchOlder(null);
    }
  }

  add(row) {
    const known = this.#rows.has(row.id);
    this.#rows.set(row.id, row);
    const oldest = this.#sorted().at(-1);
    if (!this.#older && this.#rows.size > KEPT && oldest !== row) {
      this.#rows.delete(oldest.id);
      $("requests-more").hidden = false;
    }
    if (known || this.#sorted()[0] !== row) return this.#draw();
    $("finished").prepend(this.#line(row));
    while ($("finished").rows.length > this.#rows.size) $("finished").rows[$("finished").rows.length - 1].remove();
    this.#summary();
  }

  running(rows) {
    this.#running = rows;
    $("running").replaceChildren(...[...rows].reverse().map((row) => this.#runningLine(row)));
    this.#summary();
  }

  /** Seconds go on. */
  tick() {
    for (const [at, row] of [...this.#running].reverse().entries()) {
      const cell = $("running").rows[at]?.querySelector("[data-seconds]");
      if (cell) cell.textContent = seconds((this.#clock() - row.at) * 1000);
    }
  }

  #sorted() {
    return [...this.#rows.values()].sort((one, two) => two.at - one.at || (two.id > one.id ? 1 : -1));
  }

  #draw() {
    $("finished").replaceChildren(...this.#sorted().map((row) => this.#line(row)));
    this.#summary();
  }

  #summary() {
    const shown = this.#rows.size;
    say($("requests-summary"), this.#running.length ? `${plural(this.#running.length, "request")} in flight` : "");
    $("requests-empty").hidden = shown > 0 || this.#running.length > 0;
  }

  async #showOlder() {
    this.#older = true;
    const last = this.#sorted().at(-1);
    $("older").disabled = true;
    await this.#fetchOlder(last ?? null);
    $("older").disabled = false;
  }

  async #fetchOlder(before) {
    const query = before ? `?before=${before.at}&id=${encodeURIComponent(before.id)}` : "";
    let found;
    try {
      found = await read(`/page/requests${query}`);
    } catch {
      return;
    }
    say($("older-trouble"), before || this.#rows.size === 0 ? found.trouble : "");
    for (const row of found.requests ?? []) if (!this.#rows.has(row.id)) this.#rows.set(row.id, row);
    $("requests-more").hidden = !found.more && !found.trouble;
    $("older").hidden = !found.more;
    this.#draw();
  }

  #line(row) {
    const prompt = row.input + row.cache_read + row.cache_write;
    const failed = row.status >= 400 || row.error;
    const asked = row.model && row.asked && row.model !== row.asked ? `asked for ${row.asked}` : "";
    const detail = [row.way && `${row.way}, ${row.warm ? "warm" : "new"}`, row.first_ms !== null && `first token after ${seconds(row.first_ms)} s`, row.calls > 1 && plural(row.calls, "call")].filter(Boolean).join(" · ");
    return el("tr", { class: failed ? "failed" : null, "data-id": row.id },
      cell("Time", moment(row.at, this.#clock())),
      cell("Client", el("span", {}, row.client || "unnamed"), el("span", { class: "under" }, DIALECTS[row.dialect] ?? row.dialect)),
      cell("Model", el("span", {}, row.model || row.asked || "–"), el("span", { class: "under" }, asked)),
      number("Input", row.calls ? tokens(prompt) : "–", `${count(prompt)} tokens`),
      number("Cached", prompt ? percent(row.cache_read / prompt) : "–"),
      number("Output", row.calls ? tokens(row.output) : "–", `${count(row.output)} tokens`),
      number("Seconds", seconds(row.total_ms), detail),
      number("List price", row.calls ? dollars(row.cost) : "–"),
      cell("Result", failed ? result(row) : el("span", { class: "fine" }, String(row.status))));
  }

  #runningLine(row) {
    return el("tr", { class: "running" },
      cell("Time", moment(row.at, this.#clock())),
      cell("Client", el("span", {}, row.client || "unnamed"), el("span", { class: "under" }, DIALECTS[row.dialect] ?? row.dialect)),
      cell("Model", row.model || row.asked || "–"),
      number("Input", ""), number("Cached", ""), number("Output", ""),
      el("td", { class: "number", "data-label": "Seconds", "data-seconds": true }, seconds((this.#clock() - row.at) * 1000)),
      number("List price", ""),
      cell("Result", el("span", { class: "dot", "aria-hidden": "true" }), STATES[row.state] ?? row.state));
  }
}

function result(row) {
  return el("span", { class: "wrong" }, row.error ? `${row.status} ${row.error.replaceAll("_", " ")}` : String(row.status));
}

const cell = (label, ...content) => el("td", { "data-label": label }, ...content);
const number = (label, content, title) => el("td", { class: "number", "data-label": label, title: title || null }, content);

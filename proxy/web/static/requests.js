// Requests as they happen, and those of before: the latest from the live connection, older ones from the ledger.

import { read } from "./api.js";
import { $, el, say } from "./dom.js";
import { count, dollars, moment, percent, plural, seconds, tokens } from "./format.js";

// Rows in the table at first, and how many more each time. What is known beyond them is forgotten from twice STEP on.
const FIRST = 15;
const STEP = 100;
const DIALECTS = { chat_completions: "chat completions", ollama_chat: "ollama chat", ollama_generate: "ollama generate" };
const STATES = { waiting: "waits for a worker", asking: "asks the model", answering: "answers" };

export class Requests {
  #rows = new Map();
  #running = [];
  #shown = FIRST;
  #more = false;
  #seeded = false;
  #clock;

  /** `clock` is the server's time in unix seconds. */
  constructor(clock) {
    this.#clock = clock;
    $("older").addEventListener("click", () => this.#showOlder());
  }

  clear() {
    this.#rows.clear();
    this.#shown = FIRST;
    this.#more = this.#seeded = false;
    this.#draw();
    this.running([]);
  }

  /** What the server remembers; it replaces what may have been missed. */
  async snapshot(rows) {
    for (const row of rows) this.#rows.set(row.id, row);
    this.#draw();
    if (!this.#seeded) {
      this.#seeded = true;
      await this.#fetch(null);
      this.#draw();
    }
  }

  add(row) {
    this.#rows.set(row.id, row);
    const sorted = this.#sorted();
    for (const old of sorted.length > this.#shown + 2 * STEP ? sorted.slice(this.#shown + STEP) : []) {
      this.#rows.delete(old.id);
      this.#more = true;
    }
    this.#draw();
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

  /** Lines that are there stay: a selection in them, too. */
  #draw() {
    const body = $("finished");
    const known = new Map([...body.rows].map((line) => [line.dataset.id, line]));
    const wanted = this.#sorted().slice(0, this.#shown).map((row) => known.get(row.id) ?? this.#line(row));
    const kept = new Set(wanted);
    for (const line of [...body.rows]) if (!kept.has(line)) line.remove();
    wanted.forEach((line, at) => body.rows[at] !== line && body.insertBefore(line, body.rows[at] ?? null));
    this.#summary();
  }

  #summary() {
    say($("requests-summary"), this.#running.length ? `${plural(this.#running.length, "request")} in flight` : "");
    $("requests-empty").hidden = this.#rows.size > 0 || this.#running.length > 0;
    $("older").hidden = !this.#more && this.#rows.size <= this.#shown;
    $("requests-more").hidden = $("older").hidden && !$("older-trouble").textContent;
  }

  async #showOlder() {
    $("older").disabled = true;
    this.#shown += STEP;
    if (this.#more && this.#rows.size < this.#shown + 1) await this.#fetch(this.#sorted().at(-1) ?? null);
    this.#draw();
    $("older").disabled = false;
  }

  /** Reads some from the ledger, the latest or those before a row. */
  async #fetch(before) {
    const query = before ? `?before=${before.at}&id=${encodeURIComponent(before.id)}` : "";
    try {
      const found = await read(`/page/requests${query}`);
      for (const row of found.requests ?? []) if (!this.#rows.has(row.id)) this.#rows.set(row.id, row);
      this.#more = found.more ?? this.#more;
      say($("older-trouble"), before ? found.trouble : "");
    } catch (error) {
      say($("older-trouble"), error.message);
    }
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

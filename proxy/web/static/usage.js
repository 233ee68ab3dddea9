// What the ledger has: periods, and the last 30 days by day, model and client.

import { read } from "./api.js";
import { columns, ranking } from "./chart.js";
import { $, el, say } from "./dom.js";
import { count, dollars, percent, plural, tokens } from "./format.js";

// Milliseconds: the ledger is written in batches, and a burst of requests is read once.
const LATER = 800;
const DAYS = 30;
// Lines of a ranking before the rest is added up.
const LINES = 8;

const prompt = (line) => line.input_tokens + line.cache_read_tokens + line.cache_write_tokens;
const MEASURES = {
  value_usd: { title: "list price", of: (line) => line.value_usd, show: dollars },
  tokens: { title: "tokens", of: (line) => prompt(line) + line.output_tokens, show: (value) => tokens(Math.round(value)) },
  requests: { title: "requests", of: (line) => line.requests, show: (value) => count(Math.round(value * 10) / 10) },
};

export class Usage {
  #found = null;
  #timer = null;
  #again = false;

  constructor() {
    $("measure").addEventListener("change", () => this.#draw());
  }

  /** Reads it again, soon. */
  refresh(atOnce = false) {
    if (this.#timer !== null) {
      // What has just ended may not be written when that one reads.
      this.#again = true;
      return;
    }
    this.#timer = setTimeout(() => this.#read(), atOnce ? 0 : LATER);
  }

  async #read() {
    this.#timer = null;
    if (this.#again) {
      this.#again = false;
      this.refresh();
    }
    try {
      const found = await read("/page/usage");
      say($("usage-trouble"), found.trouble || (found.periods ? "" : "The ledger begins with the first request."));
      $("usage-trouble").hidden = !$("usage-trouble").textContent;
      // What was read before stays while the ledger is locked.
      this.#found = found.periods ? found : found.trouble ? this.#found : null;
    } catch {
      return;
    }
    this.#draw();
  }

  #draw() {
    $("usage-cards").hidden = !this.#found;
    if (!this.#found) return;
    const measure = MEASURES[$("measure").value];
    $("periods").replaceChildren(...this.#found.periods.map(figure));
    this.#figure("by-day", "By day", measure, days(this.#found), this.#found.day, columns, measure);
    this.#figure("by-model", "By model", measure, top(this.#found.model, measure), this.#found.model, ranking, measure);
    this.#figure("by-client", "By client", measure, top(this.#found.client, measure), this.#found.client, ranking, measure);
  }

  #figure(id, title, measure, lines, all, draw, { of, show }) {
    const points = lines.map((line) => ({ name: line.name, label: line.label, value: of(line) }));
    const open = $(id).querySelector("details")?.open;
    const chart = points.length ? draw(points, { title: `${title}, ${measure.title}`, show }) : el("p", { class: "dim" }, "No requests.");
    $(id).replaceChildren(
      el("figcaption", {}, el("h3", {}, title), el("span", { class: "dim" }, `${measure.title}, ${DAYS} days`)),
      chart,
      el("details", { open: open || null }, el("summary", {}, "As a table"), table(all)));
  }
}

function figure(line) {
  return el("div", { class: "card figure", "data-period": line.name },
    el("p", { class: "dim" }, line.name[0].toUpperCase() + line.name.slice(1)),
    el("p", { class: "big" }, dollars(line.value_usd)),
    el("p", { class: "dim small" }, `${plural(line.requests, "request")}${line.failed ? `, ${count(line.failed)} failed` : ""} · ${tokens(prompt(line))} in, ${tokens(line.output_tokens)} out`));
}

/** Every day of the 30, those without requests too. */
function days({ day, today }) {
  const known = new Map(day.map((line) => [line.name, line]));
  const nothing = { requests: 0, failed: 0, input_tokens: 0, cache_read_tokens: 0, cache_write_tokens: 0, output_tokens: 0, value_usd: 0 };
  const last = new Date(`${today}T12:00:00Z`);
  return Array.from({ length: DAYS }, (_, at) => {
    const date = new Date(last.getTime() - (DAYS - 1 - at) * 86_400_000);
    const name = date.toISOString().slice(0, 10);
    const label = (DAYS - 1 - at) % 7 === 0 ? date.toLocaleDateString([], { day: "numeric", month: "short", timeZone: "UTC" }) : "";
    return { ...(known.get(name) ?? nothing), name, label };
  });
}

function top(lines, { of }) {
  const sorted = [...lines].sort((one, two) => of(two) - of(one));
  const rest = sorted.slice(LINES);
  if (!rest.length) return sorted;
  const sum = {};
  for (const key of Object.keys(rest[0])) sum[key] = rest.reduce((total, line) => total + line[key], 0);
  return [...sorted.slice(0, LINES), { ...sum, name: `${rest.length} others` }];
}

function table(lines) {
  const head = ["", "Requests", "Failed", "Input", "Cached", "Output", "List price"];
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Numbers" }, el("table", {},
    el("thead", {}, el("tr", {}, ...head.map((name, at) => (at ? el("th", { scope: "col", class: "number" }, name) : el("td", {}))))),
    el("tbody", {}, ...lines.map((line) => el("tr", {},
      el("th", { scope: "row" }, line.name),
      ...[count(line.requests), count(line.failed), count(prompt(line)), percent(prompt(line) ? line.cache_read_tokens / prompt(line) : null), count(line.output_tokens), `${dollars(line.value_usd)}${line.unpriced ? " +" : ""}`].map((text) => el("td", { class: "number" }, text)))))));
}

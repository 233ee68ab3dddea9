// Texts that set up other programs, from the recipes of `claude-max connect`.

import { read } from "./api.js";
import { $, copied, el } from "./dom.js";

export class Connect {
  #clients = new Map();

  constructor() {
    $("client").addEventListener("change", () => this.#draw());
    // Read when it comes into view: it takes the server a moment.
    new IntersectionObserver((seen, observer) => {
      if (!seen.some((each) => each.isIntersecting) || this.#clients.size) return;
      this.#read().then(() => observer.disconnect(), () => {});
    }).observe($("connect"));
  }

  async #read() {
    const { url, clients = [] } = await read(`/page/clients?scheme=${location.protocol.slice(0, -1)}`);
    if (!url) return;
    this.#clients.set("", { title: "Any OpenAI client", url });
    for (const client of clients) this.#clients.set(client.name, client);
    $("client").replaceChildren(...[...this.#clients].map(([name, client]) => el("option", { value: name }, client.title)));
    this.#draw();
  }

  #draw() {
    const client = this.#clients.get($("client").value);
    $("recipe").replaceChildren(...(client.url ? general(client.url) : recipe(client)));
  }
}

function general(url) {
  const variables = `export OPENAI_BASE_URL=${url}/v1\nexport OPENAI_API_KEY=anything`;
  const ask = `curl ${url}/v1/chat/completions -H 'Content-Type: application/json' \\\n  -d '{"model": "sonnet", "messages": [{"role": "user", "content": "Hello!"}]}'`;
  return [
    el("p", { class: "dim" }, "Most programs read these variables. With a key set on this server, it goes in the place of “anything”, and with curl into ", el("code", {}, "-H 'Authorization: Bearer …'"), "."),
    copied(variables, "the variables"),
    el("p", { class: "dim" }, "Or ask by hand:"),
    copied(ask, "the command"),
  ];
}

function recipe(client) {
  const parts = [];
  if (client.files.length) {
    parts.push(el("p", { class: "dim" }, "One command writes this, after showing it; ", el("code", {}, `claude-max disconnect ${client.name}`), " undoes it:"), copied(client.connect, "the command"));
    if (client.launch) parts.push(el("p", { class: "dim" }, "Or for once, without a change to its files:"), copied(client.launch, "the command for once"));
    for (const file of client.files) parts.push(el("h3", {}, el("code", {}, file.place)), copied(file.text, file.place));
  }
  if (client.steps.length) parts.push(el("ol", { class: "steps" }, ...client.steps.map((step) => el("li", { class: "text" }, step))));
  parts.push(...client.notes.map((note) => el("p", { class: "dim" }, note)));
  if (client.use) parts.push(el("p", { class: "dim" }, "Then: ", el("code", {}, client.use)));
  return parts;
}

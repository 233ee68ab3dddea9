// What doctor finds, when it is asked.

import { post, read } from "./api.js";
import { $, copied, el, say } from "./dom.js";
import { moment, plural } from "./format.js";

const MARKS = { ok: "✓", warning: "!", failed: "✗" };
const WORDS = { ok: "fine", warning: "to look at", failed: "failed" };

export class Doctor {
  constructor() {
    $("examine").addEventListener("click", () => this.#examine());
  }

  /** What was found last, where doctor was asked before. */
  async remembered() {
    const found = await read("/page/doctor").catch(() => ({}));
    if (found.findings) this.#draw(found);
  }

  async #examine() {
    $("examine").disabled = true;
    say($("doctor-summary"), "Looking…");
    try {
      const found = await post("/page/doctor", {});
      this.#draw(found);
    } catch (error) {
      say($("doctor-summary"), error.message);
    } finally {
      $("examine").disabled = false;
    }
  }

  #draw({ findings = [], at }) {
    const number = (status) => findings.filter((each) => each.status === status).length;
    const parts = ["failed", "warning"].filter(number).map((status) => `${number(status)} ${WORDS[status]}`);
    say($("doctor-summary"), `${parts.join(", ") || "All is well"}: ${plural(findings.length, "check")} at ${moment(at, Date.now() / 1000)}.`);
    const order = { failed: 0, warning: 1, ok: 2 };
    const sorted = [...findings].sort((one, two) => order[one.status] - order[two.status]);
    $("findings").replaceChildren(...sorted.map((each) => el("li", { class: each.status },
      el("span", { class: "mark", role: "img", "aria-label": WORDS[each.status] }, MARKS[each.status]),
      el("div", {},
        el("p", {}, el("strong", {}, each.name), " ", each.summary),
        each.detail ? el("p", { class: "dim" }, each.detail) : null,
        ...each.fix.map((command) => copied(command, `the command for ${each.name}`))))));
  }
}

// The plan's windows, the server, its workers, and the word at the top.

import { $, el, facts, say, svg } from "./dom.js";
import { megabytes, percent, plural, soon, span } from "./format.js";

const WORKER = { starting: "starting", idle: "ready", busy: "answering", finishing: "finishing", closing: "ending" };

/** The word at the top: its kind is "good", "busy" or "bad". */
function status(kind, text) {
  $("status").dataset.kind = kind;
  say($("status-text"), text);
  document.title = kind === "good" ? "claude-max" : `${text} · claude-max`;
}

export function show(state, now) {
  const { server, limits } = state;
  if (server.signed_in === false) status("bad", "Not signed in");
  else if (!server.ready) status("busy", "Starting");
  else if (state.running.length) status("good", `Answering ${state.running.length}`);
  else status("good", "Ready");
  notes([
    server.signed_in === false && ["bad", "Claude Code is not signed in, so every request fails. Run ", el("code", {}, "claude-max login"), "."],
    server.scripted && ["calm", "This is a demo: every answer is scripted. No model is asked, no account is used."],
    server.cli_notice && ["warn", server.cli_notice],
    ...limits.warnings.map((text) => ["warn", text[0].toUpperCase() + text.slice(1), "."]),
  ]);
  tick(state, now);
}

/** What changes with the time of day. */
export function tick(state, now) {
  showWindows(state, now);
  showServer(state.server, now);
  showWorkers(state.workers, now);
}

export function lost() {
  status("bad", "Connection lost");
  document.body.dataset.lost = "";
  notes([["bad", "The server cannot be reached. What is shown is from before; it is tried again by itself."]]);
}

export function signedOut() {
  status("busy", "Key needed");
  delete document.body.dataset.lost;
}

function notes(wanted) {
  if (wanted.length !== 1 || wanted[0][0] !== "bad") delete document.body.dataset.lost;
  const made = wanted.filter(Boolean).map(([kind, ...text]) => el("p", { class: `note ${kind}` }, ...text));
  const known = $("notes");
  if (known.textContent !== made.map((each) => each.textContent).join("")) known.replaceChildren(...made);
}

function showWindows({ server, limits }, now) {
  if (!limits.windows.length) {
    const why = server.signed_in === false ? "" : "The windows of the plan are known once the service has answered a request.";
    $("windows").replaceChildren(el("p", { class: "dim" }, why));
    return;
  }
  $("windows").replaceChildren(...limits.windows.map((window) => windowRow(window, now)));
}

function windowRow(window, now) {
  const used = window.used ?? 0;
  const kind = used >= 0.95 ? "bad" : used >= 0.8 ? "warn" : "good";
  const label = window.label[0].toUpperCase() + window.label.slice(1);
  const said = [];
  if (window.full_at && window.full_at > now && used < 1) said.push(el("strong", {}, `full at ${soon(window.full_at, now)} at this rate`));
  if (used >= 1) said.push(el("strong", {}, "full"));
  if (window.resets_at) said.push(`resets ${soon(window.resets_at, now)}, in ${span(window.resets_at - now)}`);
  if (window.as_of) said.push(`as of ${soon(window.as_of, now)}`);
  const joined = said.flatMap((part, at) => (at ? [" · ", part] : [part]));
  return el("div", { class: `window ${kind}` },
    el("p", { class: "line" }, el("span", {}, label), el("span", { class: "number" }, window.used === null ? "?" : percent(used))),
    bar(used, `${label}: ${percent(used)} used`),
    el("p", { class: "dim small" }, ...joined));
}

function bar(share, label) {
  const width = Math.min(Math.max(share, 0), 1) * 1000;
  return svg("svg", { class: "bar", viewBox: "0 0 1000 10", preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("rect", { class: "rest", width: 1000, height: 10 }),
    svg("rect", { class: "used", width, height: 10 }));
}

function showServer(server, now) {
  const login = { true: "yes", false: "no", null: "not known yet" }[String(server.signed_in)];
  facts($("server"), [
    ["Signed in", server.plan ? `${login}, plan ${server.plan}` : login],
    ["Address", el("code", {}, `${location.origin}/v1`)],
    ["Running for", span(now - server.since)],
    ["claude-max", server.version],
    ["Claude Code", server.cli_version],
  ]);
}

function showWorkers(workers, now) {
  const { processes, most, waiting, queue } = workers;
  const memory = processes.reduce((sum, each) => sum + each.memory, 0);
  const line = waiting ? `${plural(waiting, "request")} waiting (of ${queue} at most)` : "nobody waits";
  say($("workers-summary"), `${processes.length} of ${most} at most · ${megabytes(memory)} together · ${line}`);
  $("workers").replaceChildren(...processes.map((each) => el("li", { class: `worker ${each.state}`, title: each.pid ? `process ${each.pid}` : null },
    el("p", { class: "line" }, el("span", {}, el("span", { class: "dot", "aria-hidden": "true" }), WORKER[each.state] ?? each.state),
      el("span", { class: "number dim" }, each.memory ? megabytes(each.memory) : "")),
    el("p", { class: "dim small" }, `${plural(each.turns, "turn")} served · ${span(now - each.since)} old`))));
}

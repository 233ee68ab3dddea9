// Where the page begins: who may look, the one connection that everything live comes by, and what shows it.

import { post, read, whenSignedOut } from "./api.js";
import { $, say } from "./dom.js";
import { Connect } from "./connect.js";
import { Doctor } from "./doctor.js";
import * as now from "./now.js";
import { Playground } from "./playground.js";
import { Requests } from "./requests.js";
import { Usage } from "./usage.js";

// Milliseconds until a lost connection is tried again: soon, then less often.
const AGAIN = [500, 1000, 2000, 5000];

let source = null;
let failures = 0;
let timer = null;
let ahead = 0;
let state = null;

/** The server's time, in unix seconds. */
const clock = () => Date.now() / 1000 + ahead;

const usage = new Usage();
const requests = new Requests(clock);
const playground = new Playground();
const doctor = new Doctor();
new Connect();

whenSignedOut(showSignIn);

async function begin() {
  clearTimeout(timer);
  timer = null;
  try {
    const session = await read("/page/session");
    if (session.key && !session.signed_in) return showSignIn();
    $("sign-out").hidden = !session.key;
    listen();
  } catch {
    lost();
  }
}

function listen() {
  if (source || document.hidden) return;
  source = new EventSource("/page/events");
  source.addEventListener("snapshot", (event) => {
    failures = 0;
    const told = JSON.parse(event.data);
    $("sign-in").hidden = true;
    $("content").hidden = $("nav").hidden = $("footer").hidden = false;
    requests.snapshot(told.requests);
    show(told);
    usage.refresh(true);
    doctor.remembered();
  });
  source.addEventListener("state", (event) => show(JSON.parse(event.data)));
  source.addEventListener("request", (event) => {
    const row = JSON.parse(event.data);
    requests.add(row);
    playground.settled(row);
    usage.refresh();
  });
  source.addEventListener("error", lost);
}

function show(told) {
  ahead = told.now - Date.now() / 1000;
  state = told;
  now.show(state, clock());
  requests.running(state.running);
  playground.models(state.models);
}

function hangUp() {
  source?.close();
  source = null;
}

/** The server stopped, or cannot be reached: what was seen stays, and says that it is old. */
function lost() {
  hangUp();
  if (!$("sign-in").hidden) return;
  now.lost();
  if (document.hidden || timer !== null) return;
  timer = setTimeout(begin, AGAIN[Math.min(failures++, AGAIN.length - 1)]);
}

function showSignIn() {
  hangUp();
  requests.clear();
  state = null;
  $("content").hidden = $("nav").hidden = $("footer").hidden = $("sign-out").hidden = true;
  now.signedOut();
  if ($("sign-in").hidden) {
    $("sign-in").hidden = false;
    $("key").focus();
  }
}

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  say($("sign-in-error"), "");
  try {
    await post("/page/session", { key: $("key").value });
    $("key").value = "";
    $("sign-in").hidden = true;
    $("main").focus();
    begin();
  } catch (error) {
    say($("sign-in-error"), error instanceof TypeError ? "The server cannot be reached." : error.message);
  }
});

$("sign-out").addEventListener("click", async () => {
  try {
    await read("/page/session", { method: "DELETE" });
    // Nothing that was shown stays, an answer of the playground neither.
    location.reload();
  } catch {
    lost();
  }
});

// A tab that nobody sees holds no connection: browsers allow six to one server. Seen again, it gets a snapshot.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) {
    clearTimeout(timer);
    timer = null;
    hangUp();
  } else {
    // Another tab may have signed in.
    failures = 0;
    begin();
  }
});

// What depends on the time of day alone.
setInterval(() => {
  if (state && source && !document.hidden) {
    now.tick(state, clock());
    requests.tick();
  }
}, 1000);

begin();

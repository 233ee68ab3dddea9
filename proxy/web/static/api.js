// What the page asks of its server.

let signedOut = () => {};

/** Says what is to be done where the server wants its key. */
export function whenSignedOut(action) {
  signedOut = action;
}

/** Reads JSON. Throws an Error with the server's own words. */
export async function read(path, options) {
  const answer = await fetch(path, options);
  if (answer.status === 401 && path !== "/page/session") signedOut();
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body?.error?.message ?? `The server answered ${answer.status}.`);
  return body;
}

/** Sends JSON, and reads what comes back. */
export const post = (path, value) => read(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

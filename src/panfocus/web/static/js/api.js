// The one place that talks to the server.

/** What the server said is wrong: what, where, expected, got, remedy. */
export class Refusal extends Error {
  /** @param isGone whether it was asked for in good faith, and has gone meanwhile: nothing to tell. */
  constructor(facts, isGone = false) {
    super(facts.what ?? "?");
    this.facts = facts;
    this.isGone = isGone;
  }
}

const GONE = 410;

async function ask(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers });
  } catch {
    throw new Refusal({ what: "gone" });
  }
  if (answer.ok) return answer.status === 204 ? {} : answer.json();
  const text = await answer.text();
  let facts = { what: text || `${answer.status}` };
  try { facts = JSON.parse(text).error ?? facts; } catch { /* a sentence */ }
  throw new Refusal(facts, method === "GET" && answer.status === GONE);
}

const json = { "content-type": "application/json" };
export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, JSON.stringify(body), json);
export const del = (path) => ask("DELETE", path);
export const put = (path, body) => ask("PUT", path, body, { "content-type": "application/octet-stream" });
export const bytes = async (path) => {
  const answer = await fetch(path);
  if (!answer.ok) throw new Refusal({ what: await answer.text() }, answer.status === GONE);
  return answer.arrayBuffer();
};

/** Listen to the server; `act` gets every event, `lost` is told when the line breaks. */
export function listen(act, lost) {
  let source;
  const start = () => {
    source = new EventSource("/api/events");
    source.onopen = () => lost(false);
    source.onmessage = (event) => act(JSON.parse(event.data));
    source.onerror = () => {
      lost(true);
      if (source.readyState === EventSource.CLOSED) setTimeout(start, 2000);
    };
  };
  start();
  addEventListener("pagehide", () => source.close());
}

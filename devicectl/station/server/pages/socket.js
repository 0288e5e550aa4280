/* A view's socket: its numbered patches, its acts, and what it does when the connection is lost.
 *
 * Law: it decides nothing of a lesson. No page is ever reloaded.
 */

/** The document after a merge patch of RFC 7386. */
export function merged(target, patch) {
  if (patch === null || typeof patch !== "object" || Array.isArray(patch)) return patch;
  const result = target !== null && typeof target === "object" && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

const FIRST_WAIT_MS = 250;
const LAST_WAIT_MS = 4000;
/** Time in which the server says if it still lets this page in. */
const PROBE_MS = 3000;
const NO_LINK = "This link is no longer valid: ask the instructor for a new one.";
const NO_STATION = "This station has ended.";
/** Code of a socket, or status of a page, by which a page ends for good; after any other the page comes back. */
const ENDINGS = { 1001: NO_STATION, 1008: NO_LINK, 401: NO_LINK, 403: NO_LINK, 404: NO_STATION };
/** A running lesson sends many patches a second: after so long without one the socket is half open. */
const SILENCE_MS = 3000;

/** A view's socket. It connects again by itself and asks for what it has missed; no page is ever reloaded.
 *
 * `shown(view, patch)` gets each new document, with the patch that led to it, undefined for a snapshot;
 * `linked(up, words)` gets the state of the connection, `refused(words)` the sentence of what `do` could not do.
 */
export class Station {
  #socket;
  #view;
  #no = 0;
  #nextId = 1;
  #answers = new Map();
  #waitMs = FIRST_WAIT_MS;
  #heardMs = 0;
  #ended = false;
  #told;

  constructor(view, number, { shown, linked, refused }) {
    this.path = `/ws/${view}/${number}`;
    this.shown = shown;
    this.linked = linked;
    this.refused = refused;
    setInterval(() => this.#look(), 1000);
    this.#open();
  }

  /** Do an act; resolves to {ok, words}, also when the connection is lost: then nobody knows if it was done. */
  act(name, args = {}) {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      return Promise.resolve({ ok: false, words: "There is no connection to the station." });
    }
    const id = this.#nextId++;
    this.#send({ type: "act", id, name, arguments: args });
    return new Promise((resolve) => this.#answers.set(id, resolve));
  }

  /** Do an act and show its refusal; an empty one when it was done. True if so. */
  async do(name, args) {
    const { ok, words } = await this.act(name, args);
    this.refused(ok ? "" : words);
    return ok;
  }

  /** Renew the lease of a trigger that is held. */
  hold() {
    if (this.#socket.readyState === WebSocket.OPEN) this.#send({ type: "hold" });
  }

  #open() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}${this.path}`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#heardMs = performance.now(); // or the next look takes what was silent before for the silence of this one
      this.#send({ type: "resume", last: this.#no });
      if (this.#no > 0) this.#tell(true, "connected"); // a lesson that is held may have nothing to send
    };
    socket.onmessage = (event) => this.#socket === socket && this.#receive(JSON.parse(event.data));
    socket.onclose = (event) => this.#socket === socket && this.#lost(event.code);
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #receive(message) {
    this.#heardMs = performance.now();
    if (message.type === "answer") {
      this.#answers.get(message.id)?.(message);
      this.#answers.delete(message.id);
      return;
    }
    if (message.type === "patch" && message.no !== this.#no + 1) {
      this.#socket.close(); // one is missing: connect again and ask for it
      return;
    }
    this.#no = message.no;
    this.#view = message.type === "snapshot" ? message.view : merged(this.#view, message.patch);
    this.#waitMs = FIRST_WAIT_MS;
    this.#tell(true, "connected");
    this.shown(this.#view, message.patch);
    if (message.type === "snapshot") performance.mark("ready"); // the first one is how long the page took to open
  }

  #tell(up, words) {
    if (words === this.#told) return;
    this.#told = words;
    this.linked(up, words);
  }

  async #lost(code) {
    for (const resolve of this.#answers.values()) {
      resolve({ ok: false, words: "The connection was lost before the station answered." });
    }
    this.#answers.clear();
    if (this.#ended) return;
    this.#tell(false, "The connection is lost. Connecting again…");
    const ending = ENDINGS[code] ?? ENDINGS[await this.#status()];
    if (ending !== undefined) {
      this.#ended = true;
      this.#tell(false, ending);
      return;
    }
    const spread = 0.5 + Math.random() / 2; // or eight tablets come back in one instant
    setTimeout(() => this.#open(), this.#waitMs * spread);
    this.#waitMs = Math.min(this.#waitMs * 2, LAST_WAIT_MS);
  }

  /** The status by which the server shows this page; 0 where it does not answer. A refused handshake tells nothing. */
  async #status() {
    try {
      return (await fetch(location.pathname, { signal: AbortSignal.timeout(PROBE_MS) })).status;
    } catch {
      return 0;
    }
  }

  #look() {
    const silent = performance.now() - this.#heardMs > SILENCE_MS;
    const moves = this.#view?.clock.running && !this.#view.clock.ended;
    if (silent && moves && this.#socket.readyState === WebSocket.OPEN) {
      const socket = this.#socket;
      socket.onclose = null; // a close of a half-open socket may take a minute to be heard
      socket.close();
      this.#lost(0);
    }
  }
}

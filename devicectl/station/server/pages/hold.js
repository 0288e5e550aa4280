/* The trigger: a button, a key or a gamepad that is held.
 *
 * Law: the station owns the trigger. This page renews its lease while something is held, and whatever takes the hand
 * away ends it: pointer, key, focus, tab, page or connection. It is never renewed from requestAnimationFrame, which a
 * hidden tab stops, and a button that is held is never replaced.
 */

const RENEWAL_MS = 200;
const GAMEPAD_MS = 40;

/** `press()` and `release(why)` are called once each for a hold, `renew()` all along. `press` resolves to true if the
 * station has taken it. */
export class Hold {
  #by;
  #timer;
  #count = 0;
  #shown = false;
  #answered = false;
  #seen = false;

  constructor(button, panel, { press, renew, release, gamepads = true }) {
    Object.assign(this, { button, panel, press, renew, release });
    this.#listenToPointer();
    this.#listenToKeys();
    this.#listenToPage();
    if (gamepads) this.#listenToGamepads();
  }

  get held() {
    return this.#by !== undefined;
  }

  /** Take what the station says of the trigger: one that it has let go is not held here any more. True if it was. What it
   * says before it has answered the press is of an earlier hold. One that was pressed too early does not look held. */
  show({ held, missed = false }) {
    this.#shown = held;
    if (this.held) this.#look(!missed);
    if (!this.#answered) return false;
    if (held) this.#seen = true;
    return !held && this.#seen && this.drop();
  }

  /** End a hold which the station has ended: nobody has to be told. True if there was one. */
  drop() {
    const { held } = this;
    if (held) this.#end();
    return held;
  }

  /** End a hold, and say why. */
  letGo(why) {
    if (!this.held) return;
    this.#end();
    this.release(why);
  }

  async #begin(by) {
    if (this.held) return;
    const count = ++this.#count;
    this.#by = by;
    this.#answered = false;
    this.#look(true);
    this.#timer = setInterval(() => this.renew(), RENEWAL_MS);
    const taken = await this.press();
    if (count !== this.#count || !this.held) return; // it is over, and another one has its own answer
    if (!taken) {
      this.#end();
      return;
    }
    this.#answered = true;
    this.#seen = this.#shown;
  }

  #end() {
    clearInterval(this.#timer);
    this.#by = undefined;
    this.#look(false);
  }

  #look(held) {
    this.button.classList.toggle("held", held);
    this.button.setAttribute("aria-pressed", String(held));
  }

  #endIf(by, why) {
    if (this.#by === by) this.letGo(why);
  }

  #listenToPointer() {
    const { button } = this;
    button.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button !== 0) return;
      button.setPointerCapture(event.pointerId);
      this.#begin("pointer");
    });
    // At the document, which hears them also where the button was taken out of the page.
    document.addEventListener("pointerup", (event) => event.isPrimary && this.#endIf("pointer", "let_go"));
    document.addEventListener("pointercancel", () => this.#endIf("pointer", "pointer"));
    document.addEventListener("lostpointercapture", () => this.#endIf("pointer", "pointer"));
    button.addEventListener("contextmenu", (event) => event.preventDefault()); // a long touch is no question
  }

  #listenToKeys() {
    const holds = (node) => node === this.button || node === this.panel;
    const isTrigger = (event) => event.code === "Space" && holds(event.target);
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target === this.button) event.preventDefault();
      if (!isTrigger(event)) return;
      event.preventDefault(); // the page would scroll
      if (!event.repeat && !event.ctrlKey && !event.altKey && !event.metaKey) this.#begin("key");
    });
    document.addEventListener("keyup", (event) => {
      if (event.code !== "Space" || this.#by !== "key") return;
      event.preventDefault();
      this.letGo("let_go");
    });
    this.panel.addEventListener("focusout", (event) => {
      if (!holds(event.relatedTarget)) this.#endIf("key", "focus");
    });
  }

  #listenToPage() {
    window.addEventListener("blur", () => this.letGo("focus"));
    window.addEventListener("pagehide", () => this.letGo("hidden"));
    document.addEventListener("visibilitychange", () => document.hidden && this.letGo("hidden"));
  }

  #listenToGamepads() {
    let timer;
    window.addEventListener("gamepadconnected", () => {
      timer ??= setInterval(() => this.#askGamepads(), GAMEPAD_MS);
    });
    window.addEventListener("gamepaddisconnected", () => this.#endIf("gamepad", "pointer"));
  }

  #askGamepads() {
    const pressed = navigator.getGamepads().some((pad) => pad?.connected && pad.buttons.some((button) => button.pressed));
    if (!pressed) {
      this.gamepadDown = false;
      this.#endIf("gamepad", "let_go");
    } else if (!this.gamepadDown && document.hasFocus()) {
      this.gamepadDown = true; // one that was ended otherwise has to be let go before it begins again
      this.#begin("gamepad");
    }
  }
}

/* Run and hold, speed, steps and prepared stops: the controls of whoever leads the lesson. */

import { api, el, keyed, setAttribute, setText } from "./common.js";

const SPEEDS = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60];
const STEPS = { phase: "Next phase", cycle: "Next cycle", alarm: "To the next alarm" };

/** Run and hold, speed, steps and prepared stops of a station, for who may set them. */
export class Pace {
  #clock = { running: false, speed: 1 };
  #stopsTold;

  /** `refused(words)` gets the sentence of what could not be done, and an empty one when it could. */
  constructor(root, number, refused) {
    this.path = `/api/stations/${number}/pace`;
    this.refused = refused;
    this.runButton = el("button", { type: "button", class: "first run", onclick: () => this.toggle() }, "Run");
    this.speed = el("select", { onchange: () => this.set({ speed: Number(this.speed.value) }) });
    this.speed.append(...SPEEDS.map((speed) => el("option", { value: speed }, `${speed}x`)));
    this.stops = el("div", { class: "row" });
    const steps = Object.entries(STEPS).map(([step, words]) =>
      el("button", { type: "button", onclick: () => this.step(step) }, words));
    this.buttons = el("div", { class: "row" },
      this.runButton,
      el("label", {}, "Speed ", this.speed),
      el("button", { type: "button", "aria-label": "slower", onclick: () => this.faster(-1) }, "−"),
      el("button", { type: "button", "aria-label": "faster", onclick: () => this.faster(1) }, "+"),
      ...steps);
    this.speed.value = String(this.#clock.speed);
    root.append(this.buttons, el("fieldset", { class: "stops" }, el("legend", {}, "Hold by itself"), this.stops));
  }

  /** What a person has just chosen stays until the server has said something new about it. */
  show({ clock, stops }) {
    if (clock.speed !== this.#clock.speed) this.speed.value = String(clock.speed);
    this.#clock = clock;
    setText(this.runButton, clock.ended ? "Ended" : clock.running ? "Hold" : "Run");
    setAttribute(this.runButton, "disabled", clock.ended && "");
    const told = JSON.stringify(stops);
    if (told === this.#stopsTold) return;
    this.#stopsTold = told;
    keyed(this.stops, stops, (stop) => stop.stop, (stop) => this.#stopBox(stop), (label, stop) => {
      label.box.checked = stop.chosen;
      setText(label.words, stop.done ? `${stop.words} (done)` : stop.words);
    });
  }

  toggle() {
    return this.set({ running: !this.#clock.running });
  }

  step(step) {
    return this.set({ step });
  }

  faster(by) {
    const now = SPEEDS.findLastIndex((speed) => speed <= this.#clock.speed);
    const speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, now + by))];
    return this.set({ speed });
  }

  async set(body) {
    try {
      await api("POST", this.path, body);
      this.refused("");
    } catch (error) {
      this.refused(error.message);
      this.#stopsTold = undefined; // what was chosen and refused goes back with the next patch
    }
  }

  #stopBox(stop) {
    const box = el("input", { type: "checkbox", value: stop.stop, onchange: () => this.#choose() });
    const words = el("span");
    return Object.assign(el("label", {}, box, words), { box, words });
  }

  #choose() {
    const chosen = [...this.stops.querySelectorAll("input:checked")].map((box) => box.value);
    return this.set({ stops: chosen });
  }
}

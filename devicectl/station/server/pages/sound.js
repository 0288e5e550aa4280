/* Alarm sounds by priority, made with the Web Audio API. Styled after IEC 60601-1-8; no conformity is claimed.
 *
 * Law: whether there is sound is what the AudioContext itself says, never what was asked of it.
 */

const PULSE_S = 0.15;
/** Of each priority: begin of each pulse in seconds, frequency of it, and how long a burst and its rest take. */
const BURSTS = {
  high: { at: [0, 0.25, 0.5, 0.85, 1.1, 1.8, 2.05, 2.3, 2.65, 2.9], hz: [660, 660, 660, 520, 780], every_ms: 6000 },
  medium: { at: [0, 0.35, 0.7], hz: [520, 520, 660], every_ms: 9000 },
  low: { at: [0, 0.4], hz: [440, 392], every_ms: 20000 },
};

export class Sound {
  #context;
  #priority;
  #known = new Set();
  #timer;

  /** `changed(words, works)` is called with each change of what the browser says of the sound. */
  constructor(changed) {
    this.changed = changed;
  }

  /** Turn the sound on and play a test; only from a click or a key, or the browser refuses. */
  async test() {
    if (this.#context === undefined) {
      if (window.AudioContext === undefined) {
        this.changed("This browser makes no sound. Watch the signs of the alarms.", false);
        return;
      }
      this.#context = new AudioContext();
      this.#context.onstatechange = () => this.#report();
    }
    // A promise that never settles is how a browser says that it wants a gesture first.
    await Promise.race([this.#context.resume().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 1000))]);
    this.#burst("medium");
    this.#report();
  }

  /** Sound for these alarms from now on, the most urgent first: its bursts again and again, and one at once for each new one. */
  show(alarms) {
    const priority = alarms[0]?.priority;
    const urgent = alarms.filter((alarm) => alarm.priority === priority).map((alarm) => `${alarm.code} ${alarm.since_ms}`);
    const isNew = urgent.some((alarm) => !this.#known.has(alarm));
    this.#known = new Set(urgent);
    if (priority === this.#priority && !isNew) return;
    this.#priority = priority;
    clearInterval(this.#timer);
    const burst = BURSTS[priority];
    if (burst === undefined) return;
    this.#burst(priority);
    this.#timer = setInterval(() => this.#burst(priority), burst.every_ms);
  }

  #report() {
    const works = this.#context.state === "running";
    const words = works
      ? "The sound is on. Did you hear three tones? If not, look at the volume and the loudspeaker."
      : `The sound did not start: the browser says "${this.#context.state}". Press again, or watch the signs of the alarms.`;
    this.changed(words, works);
  }

  #burst(priority) {
    const context = this.#context;
    if (context?.state !== "running") return;
    const { at, hz } = BURSTS[priority];
    at.forEach((offset, index) => {
      const begin = context.currentTime + offset + 0.02;
      const tone = new OscillatorNode(context, { type: "triangle", frequency: hz[index % hz.length] });
      const gain = new GainNode(context, { gain: 0 });
      gain.gain.setTargetAtTime(0.4, begin, 0.01); // a step would click
      gain.gain.setTargetAtTime(0, begin + PULSE_S, 0.02);
      tone.connect(gain).connect(context.destination);
      tone.start(begin);
      tone.stop(begin + PULSE_S + 0.2);
    });
  }
}

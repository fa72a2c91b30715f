// Plays a sound and shows a notification for a mention or a whisper. Both are off until the reader enables them in this
// browser.

import { need } from "../../dom.js";

/** @typedef {import("../../texts.js").Texts} Texts */
/** @typedef {import("../../api.js").Person} Person */

/** Frequencies of the two notes, in hertz. */
const NOTES = [660, 880];
const NOTE_SECONDS = 0.12;
const LOUDNESS = 0.08;

export class Alerts {
  #texts;
  #sound = need(document, '[data-alert="sound"]', HTMLInputElement);
  #notification = need(document, '[data-alert="notification"]', HTMLInputElement);
  #problem = need(document, "[data-alert-problem]", HTMLElement);
  /** @type {AudioContext | undefined} */
  #audio;

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
    this.#sound.checked = wanted("sound");
    this.#notification.checked = wanted("notification") && mayNotify();
    this.#sound.addEventListener("change", () => {
      want("sound", this.#sound.checked);
      if (this.#sound.checked) this.#play(); // Plays a sample; the click also allows the browser to play audio.
    });
    this.#notification.addEventListener("change", () => void this.#askToNotify());
  }

  /**
   * Alerts the reader that a person has mentioned them or whispered to them.
   * @param {"mentioned" | "whispered"} how
   * @param {Person} by
   */
  tell(how, by) {
    if (this.#sound.checked) this.#play();
    if (!this.#notification.checked || !document.hidden || !mayNotify()) return;
    const person = this.#texts.person(by);
    const words =
      how === "mentioned" ? this.#texts.text("mentioned", { person }) : this.#texts.text("whispered", { person });
    const notification = new Notification(document.title.replace(/^\(\d+\) /, ""), {
      body: words,
      tag: location.pathname,
    });
    notification.addEventListener("click", () => {
      window.focus();
      notification.close();
    });
  }

  async #askToNotify() {
    this.#problem.textContent = "";
    const on =
      this.#notification.checked && "Notification" in window && (await Notification.requestPermission()) === "granted";
    if (this.#notification.checked && !on) this.#problem.textContent = this.#texts.text("preferences-denied");
    this.#notification.checked = on;
    want("notification", on);
  }

  #play() {
    this.#audio ??= new AudioContext();
    void this.#audio.resume();
    const { currentTime, destination } = this.#audio;
    for (const [nth, note] of NOTES.entries()) {
      const [tone, volume] = [this.#audio.createOscillator(), this.#audio.createGain()];
      const start = currentTime + nth * NOTE_SECONDS;
      tone.frequency.value = note;
      volume.gain.setValueAtTime(LOUDNESS, start);
      volume.gain.exponentialRampToValueAtTime(0.001, start + NOTE_SECONDS);
      tone.connect(volume).connect(destination);
      tone.start(start);
      tone.stop(start + NOTE_SECONDS);
    }
  }
}

function mayNotify() {
  return "Notification" in window && Notification.permission === "granted";
}

/** @param {string} what */
function wanted(what) {
  return localStorage.getItem(`huechat:${what}`) === "on";
}

/**
 * @param {string} what
 * @param {boolean} on
 */
function want(what, on) {
  if (on) localStorage.setItem(`huechat:${what}`, "on");
  else localStorage.removeItem(`huechat:${what}`);
}

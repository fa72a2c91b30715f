// Lines of messages that are not sent yet: their progress, the reason for a delay, and the buttons to retry or discard.

import { need } from "../../dom.js";
import { Countdown } from "../../countdown.js";
import { stillOf } from "../gifs/gif-preview.js";

/** @typedef {import("../../api.js").Chat} Chat */
/** @typedef {import("../gifs/kept-files.js").KeptFiles} KeptFiles */
/** @typedef {import("../messages/line-maker.js").LineMaker} LineMaker */
/** @typedef {import("../messages/log.js").Log} Log */
/** @typedef {import("./outbox.js").Entry} Entry */
/** @typedef {import("./outbox.js").Pause} Pause */

/**
 * @typedef {object} Callbacks
 * @property {KeptFiles} files
 * @property {number} mostBytes The maximum size of a GIF.
 * @property {(clientId: string) => void} retry
 * @property {(clientId: string) => void} discard
 */

export class Pending {
  #lines;
  #log;
  #callbacks;
  /** @type {WeakMap<HTMLElement, Countdown>} */
  #countdowns = new WeakMap();

  /**
   * @param {LineMaker} lines
   * @param {Log} log
   * @param {Callbacks} callbacks
   */
  constructor(lines, log, callbacks) {
    this.#lines = lines;
    this.#log = log;
    this.#callbacks = callbacks;
  }

  /**
   * @param {Entry} entry
   * @param {Pause} [pause]
   */
  show(entry, pause) {
    const line = this.#log.pending(entry.clientId) ?? this.#append(entry);
    this.#log.keep(() => this.#say(line, entry, pause));
  }

  /**
   * @param {string} clientId
   * @param {number} percent
   */
  progress(clientId, percent) {
    const line = this.#log.pending(clientId);
    if (!line) return;
    const bar = need(line, "[data-progress]", HTMLProgressElement);
    bar.hidden = false;
    bar.value = percent;
    const said = this.#lines.texts.text("gif-percent", { percent: Math.floor(percent) });
    need(line, "[data-percent]", HTMLElement).textContent = said;
  }

  /**
   * Marks a message as stored. Its line stays until the message arrives with its sequence number.
   * @param {string} clientId
   * @param {Chat} chat
   * @param {number} newest The last sequence number up to which the log is complete.
   */
  sent(clientId, chat, newest) {
    const line = this.#log.pending(clientId);
    if (!line) return;
    if (chat.seq <= newest) line.remove();
    line.classList.remove("line--pending");
    line.querySelector(".line__unsent")?.remove();
  }

  /** @param {Entry} entry */
  #append(entry) {
    const line = this.#lines.makePending(entry);
    const { texts } = this.#lines;
    const countdown = new Countdown(need(line, "[data-when]", HTMLElement), (count) =>
      count > 0 ? texts.text("waits-next", { count }) : "",
    );
    this.#countdowns.set(line, countdown);
    need(line, "[data-retry]", HTMLElement).addEventListener("click", () => this.#callbacks.retry(entry.clientId));
    need(line, "[data-discard]", HTMLElement).addEventListener("click", () => {
      this.#callbacks.discard(entry.clientId);
      line.remove();
    });
    this.#log.append(line);
    if (entry.kind === "gif") void this.#preview(line, entry.clientId);
    return line;
  }

  /**
   * @param {HTMLElement} line
   * @param {string} clientId
   */
  async #preview(line, clientId) {
    const file = await this.#callbacks.files.find(clientId);
    const preview = file && (await stillOf(file).catch(() => undefined));
    if (preview) this.#log.keep(() => this.#lines.fillPreview(line, preview));
  }

  /**
   * @param {HTMLElement} line
   * @param {Entry} entry
   * @param {Pause} [pause]
   */
  #say(line, { kind, failed }, pause) {
    const { texts } = this.#lines;
    const underway = !failed && !pause;
    line.classList.toggle("line--pending", !failed);
    line.classList.toggle("line--failed", Boolean(failed));
    need(line, "[data-sending]", HTMLElement).hidden = !underway;
    need(line, "[data-progress]", HTMLElement).hidden = true; // `progress` shows it.
    need(line, "[data-percent]", HTMLElement).textContent = "";
    need(line, "[data-failure]", HTMLElement).textContent = this.#reason(failed, pause);
    need(line, "[data-retry]", HTMLElement).hidden = underway || pause?.code === "slow_down" || failed === "gif_lost";
    const discard = need(line, "[data-discard]", HTMLElement);
    discard.hidden = underway && kind !== "gif"; // A text is sent too quickly to cancel it.
    discard.textContent = texts.text(underway ? "cancel" : "discard");
    const countdown = this.#countdowns.get(line);
    if (pause) countdown?.start(pause.until);
    else countdown?.stop();
  }

  /**
   * @param {string} [failed]
   * @param {Pause} [pause]
   */
  #reason(failed, pause) {
    const { texts } = this.#lines;
    if (failed) return texts.error(failed, { size: texts.size(this.#callbacks.mostBytes) });
    return pause ? texts.text(`waits-${pause.code}`) : "";
  }
}

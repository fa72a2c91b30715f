// Settings dialog for the host: changes the title, the capacity, the password and the lock, or closes the room.

import { need } from "../../dom.js";
import { codeOf, fetchJson, Refused } from "../../api.js";

/** @typedef {import("../../api.js").Room} Room */
/** @typedef {import("../../texts.js").Texts} Texts */

const FIELDS = ["title", "max", "password"];

export class Settings {
  #texts;
  #room;
  #open = need(document, "[data-settings-open]", HTMLButtonElement);
  #dialog = need(document, "[data-settings]", HTMLDialogElement);
  #form = need(this.#dialog, "form", HTMLFormElement);
  #problem = need(this.#dialog, "[data-settings-problem]", HTMLElement);
  #end = need(this.#dialog, "[data-settings-end]", HTMLButtonElement);

  /**
   * @param {Texts} texts
   * @param {string} room
   */
  constructor(texts, room) {
    this.#texts = texts;
    this.#room = room;
    this.#open.addEventListener("click", () => this.#show());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#save();
    });
    this.#end.addEventListener("click", () => void this.#endRoom());
    need(this.#dialog, "[data-settings-cancel]", HTMLButtonElement).addEventListener("click", () =>
      this.#dialog.close(),
    );
  }

  /** @param {boolean} host Whether the reader is the host. */
  offer(host) {
    this.#open.hidden = !host;
    if (!host) this.#dialog.close();
  }

  /** @param {Room} room The current state of the room. */
  update(room) {
    document.title = `${room.title} · Huechat`;
    need(document, "[data-room-title]", HTMLElement).textContent = room.title;
    need(document, "[data-room-capacity]", HTMLElement).textContent = this.#texts.text("room-for", { count: room.max });
    if (this.#dialog.open) return; // Keeps the values that the host is editing.
    this.#input("title").defaultValue = room.title;
    this.#input("max").defaultValue = String(room.max);
  }

  #show() {
    this.#form.reset();
    this.#complain({});
    this.#end.textContent = this.#texts.text("settings-end");
    delete this.#end.dataset.sure;
    this.#dialog.showModal();
  }

  async #save() {
    const [title, max, password] = FIELDS.map((name) => this.#input(name));
    const [lock, unprotect] = ["locked", "unprotect"].map((name) => this.#input(name));
    if (!title || !max || !password || !lock || !unprotect) return;
    const change = {
      ...(title.value !== title.defaultValue && { title: title.value }),
      ...(max.value !== max.defaultValue && { max: max.value }),
      ...(password.value !== "" && { password: password.value }),
      ...(password.value === "" && unprotect.checked && { password: "" }),
      ...(lock.checked !== lock.defaultChecked && { locked: lock.checked }),
    };
    try {
      const room = await this.#ask("PATCH", change);
      lock.defaultChecked = lock.checked;
      if ("password" in change) this.#protect(change.password !== "");
      this.#dialog.close();
      this.update(room);
    } catch (error) {
      this.#complain(error instanceof Refused ? (error.fields ?? {}) : {}, codeOf(error));
    }
  }

  /** Requires a second click to confirm, because nobody can undo the end of a room. */
  async #endRoom() {
    if (this.#end.dataset.sure === undefined) {
      this.#end.dataset.sure = "";
      this.#end.textContent = this.#texts.text("settings-end-sure");
      return;
    }
    await this.#ask("DELETE").catch((error) => this.#complain({}, codeOf(error)));
  }

  /**
   * @param {string} method
   * @param {object} [body]
   */
  #ask(method, body) {
    const headers = { "Content-Type": "application/json" };
    return fetchJson(`/room/${this.#room}`, { method, headers, body: body && JSON.stringify(body) });
  }

  /** @param {boolean} protectedNow */
  #protect(protectedNow) {
    need(this.#dialog, "[data-settings-unprotect]", HTMLElement).hidden = !protectedNow;
    this.#input("unprotect").checked = false;
  }

  /**
   * @param {Record<string, string>} fields The error code of each field.
   * @param {string} [code]
   */
  #complain(fields, code) {
    for (const name of FIELDS) {
      const input = this.#input(name);
      const wrong = fields[name];
      input.toggleAttribute("aria-invalid", wrong !== undefined);
      const most = { count: Number(input.dataset.most ?? 0) };
      need(this.#dialog, `#settings-${name}-problem`, HTMLElement).textContent = wrong
        ? this.#texts.error(wrong, most)
        : "";
    }
    const said = code === undefined || Object.keys(fields).length > 0;
    this.#problem.textContent = said ? "" : this.#texts.error(code);
    FIELDS.map((name) => this.#input(name))
      .find((input) => fields[input.name])
      ?.focus();
  }

  /** @param {string} name */
  #input(name) {
    return need(this.#form, `[name="${name}"]`, HTMLInputElement);
  }
}

// List of room cards in the lobby. The events of the server keep it up to date.

import { colorClass, copyOf, need, paint } from "../dom.js";

/** @typedef {import("../api.js").Room} Room */
/** @typedef {import("../texts.js").Texts} Texts */

/** The card shows the free places only for rooms up to this capacity, to keep the row of dots short. */
const MOST_PLACES = 12;

export class RoomList {
  #texts;
  #list = need(document, "[data-rooms]", HTMLElement);
  #region = need(document, "[data-rooms-region]", HTMLElement);
  #total = need(document, "[data-total]", HTMLElement);
  #search = need(document, "#q", HTMLInputElement);
  /** Ids of removed rooms, because a response older than `removeRoom` can still list them. @type {Set<string>} */
  #gone = new Set();

  /** @param {Texts} texts */
  constructor(texts) {
    this.#texts = texts;
  }

  get element() {
    return this.#region;
  }

  /** @param {Room} room */
  add(room) {
    if (this.#gone.has(room.id)) return;
    if (this.#card(room.id)) return this.update(room);
    if (!this.#isSearchedFor(room)) return;
    this.#count(+1);
    if (this.#region.dataset.page !== "1") return;
    const card = copyOf("room");
    this.#fill(card, room);
    card.classList.add("card--new");
    this.#list.prepend(card);
    this.#showWhetherEmpty();
  }

  /** @param {Room} room */
  update(room) {
    const card = this.#card(room.id);
    if (card) this.#fill(card, room);
  }

  /** @param {string} id */
  remove(id) {
    this.#gone.add(id);
    const card = this.#card(id);
    if (card || this.#search.value.trim() === "") this.#count(-1);
    card?.remove();
    this.#showWhetherEmpty();
  }

  /**
   * Replaces the list with that of a newly fetched page. Unchanged cards keep their elements.
   * @param {Document} page
   */
  replaceBy(page) {
    const region = need(page, "[data-rooms-region]", HTMLElement);
    const list = need(region, "[data-rooms]", HTMLElement);
    for (const fresh of list.querySelectorAll("[data-room]")) {
      const id = fresh.getAttribute("data-room") ?? "";
      const card = this.#card(id);
      if (this.#gone.has(id)) fresh.remove();
      else if (card && same(card, fresh)) fresh.replaceWith(card);
    }
    this.#region.replaceChildren(...region.childNodes);
    this.#region.dataset.page = region.dataset.page ?? "1";
    this.#list = list;
    this.#total.textContent = need(page, "[data-total]", HTMLElement).textContent;
    this.#showWhetherEmpty();
  }

  /** @param {string} id */
  #card(id) {
    const card = this.#list.querySelector(`[data-room="${CSS.escape(id)}"]`);
    return card instanceof HTMLElement ? card : null;
  }

  /**
   * @param {HTMLElement} card
   * @param {Room} room
   */
  #fill(card, room) {
    const full = room.count >= room.max;
    card.dataset.room = room.id;
    card.dataset.count = String(room.count);
    card.dataset.max = String(room.max);
    card.toggleAttribute("data-locked", room.locked);
    card.classList.toggle("card--full", full);
    need(card, "a", HTMLAnchorElement).href = `/room/${room.id}`;
    need(card, "[data-title]", HTMLElement).textContent = room.title;
    need(card, "[data-mark-locked]", HTMLElement).hidden = !room.locked;
    need(card, "[data-mark-full]", HTMLElement).hidden = !full;
    paint(need(card, "[data-owner]", HTMLElement), room.owner.color);
    need(card, "[data-owner-name]", HTMLElement).textContent = this.#texts.person(room.owner);
    const seats = { count: String(room.count), max: String(room.max) };
    need(card, "[data-seats]", HTMLElement).textContent = this.#texts.text("seats", seats);
    this.#fillDots(need(card, "[data-dots]", HTMLElement), room);
  }

  /**
   * @param {HTMLElement} dots
   * @param {Room} room
   */
  #fillDots(dots, room) {
    const before = [...dots.children].map((dot) => dot.classList[1]);
    const taken = room.colors.map((color) => {
      const dot = spot(colorClass(color));
      const known = before.indexOf(colorClass(color));
      if (known < 0) dot.classList.add("dot--arriving");
      else before.splice(known, 1);
      return dot;
    });
    const free = room.max <= MOST_PLACES ? Math.max(0, room.max - room.count) : 0;
    dots.replaceChildren(...taken, ...Array.from({ length: free }, () => spot("dot--free")));
    const more = room.count - taken.length;
    if (more <= 0) return;
    const rest = document.createElement("span");
    rest.className = "dots__more";
    rest.textContent = this.#texts.text("people-more", { count: more });
    dots.append(rest);
  }

  /** @param {Room} room */
  #isSearchedFor(room) {
    const q = this.#search.value.trim().toLowerCase();
    return room.title.toLowerCase().includes(q);
  }

  /** @param {number} change */
  #count(change) {
    this.#total.textContent = String(Math.max(0, Number(this.#total.textContent) + change));
  }

  #showWhetherEmpty() {
    const empty = this.#list.childElementCount === 0;
    this.#list.hidden = empty;
    need(this.#region, "[data-empty]", HTMLElement).hidden = !empty;
  }
}

/** @param {string} kind */
function spot(kind) {
  const dot = document.createElement("span");
  dot.className = `dot ${kind}`;
  return dot;
}

/**
 * Returns whether two cards show the same content.
 * @param {Element} card
 * @param {Element} fresh
 */
function same(card, fresh) {
  const facts = ["data-count", "data-max", "data-locked"];
  const colors = (/** @type {Element} */ of) => [...of.querySelectorAll(".dot")].map((dot) => dot.classList[1]).join();
  return (
    facts.every((name) => card.getAttribute(name) === fresh.getAttribute(name)) &&
    card.textContent?.replace(/\s+/g, " ") === fresh.textContent?.replace(/\s+/g, " ") &&
    colors(card) === colors(fresh)
  );
}

// A room, live. The parts know nothing of one another; this puts them together.

import { need } from "./dom.js";
import { Composer } from "./room/composer.js";
import { Connection } from "./room/connection.js";
import { offerDeleting } from "./room/deleting.js";
import { Ending } from "./room/ending.js";
import { GifDialog } from "./room/gif-dialog.js";
import { pickGifs } from "./room/gif-picker.js";
import { GifPlayer } from "./room/gif-player.js";
import { uploadGif } from "./room/gif-upload.js";
import { Hiding } from "./room/hiding.js";
import { offerLink } from "./room/invitation.js";
import { KeptFiles } from "./room/kept-files.js";
import { leaveBy } from "./room/leaving.js";
import { LineMaker } from "./room/line-maker.js";
import { Log } from "./room/log.js";
import { Members } from "./room/members.js";
import { OlderLines } from "./room/older-lines.js";
import { Outbox } from "./room/outbox.js";
import { PersonDialog } from "./room/person-dialog.js";
import { keepPlace } from "./room/place.js";
import { Scroll } from "./room/scroll.js";
import { Settings } from "./room/settings.js";
import { Status } from "./room/status.js";
import { Timeline } from "./room/timeline.js";
import { Typing } from "./room/typing.js";
import { Unread } from "./room/unread.js";
import { Unsent } from "./room/unsent.js";
import { Texts } from "./texts.js";
import { Refused, ask, codeOf, newClientId } from "./wire.js";

/** @typedef {import("./room/outbox.js").Entry} Entry */

const texts = await Texts.load();
const { room = "", maxGifBytes } = need(document, "[data-room]", HTMLElement).dataset;
const mostBytes = Number(maxGifBytes);
const me = document.body.dataset.me ?? "";

const scroll = new Scroll(texts);
const lines = new LineMaker(texts, me);
const log = new Log(lines, scroll);
const files = new KeptFiles();
const hiding = new Hiding(room);
const settings = new Settings(texts, room);
const unread = new Unread();
const members = new Members(texts, me, {
  chosen: (person) => someone.open(person),
  host: (mine) => settings.offer(mine),
});
const ending = new Ending(texts);

const timeline = new Timeline({
  seen: log.seqs,
  show: (chats) => {
    for (const clientId of log.show(chats)) outbox.settle(clientId);
    hiding.apply();
  },
  ask: (after) => ask(connection.socket, "chat:get", { after, limit: 100 }),
});

const status = new Status(texts, () => connection.tryNow());
const connection = new Connection({
  room,
  after: () => timeline.newest,
  changed: (state, delay) => status.show(state, delay),
  ended: (reason, by) => {
    composer.close();
    ending.say(reason, by);
  },
  welcome: async (welcome) => {
    members.replaceBy(welcome);
    await timeline.resume(welcome);
  },
  live: () => outbox.resume(),
});

const outbox = new Outbox(room, {
  isLive: () => connection.isLive,
  send: ({ clientId, kind, chat, to }, signal) => {
    if (kind === "gif") return sendGif(clientId, signal);
    if (to) return ask(connection.socket, "whisper:post", { to: to.id, chat, clientId });
    return ask(connection.socket, "chat:post", { chat, clientId });
  },
  shown: (entry, pause) => unsent.show(entry, pause),
  sent: (clientId, chat) => unsent.sent(clientId, chat, timeline.newest),
  over: (clientId) => void files.remove(clientId),
});

const unsent = new Unsent(lines, log, {
  files,
  mostBytes,
  retry: (clientId) => outbox.retry(clientId),
  discard: (clientId) => outbox.discard(clientId),
});

const typing = new Typing(texts, (mine) => {
  if (connection.isLive) connection.socket.volatile.emit("typing", mine);
});

const composer = new Composer(texts, room, {
  post: (chat, to) => say({ clientId: newClientId(), kind: to ? "whisper" : "chat", chat, ...(to && { to }) }),
  typing: (mine) => typing.me(mine),
  addressed: (words) => members.addressed(words),
});

const someone = new PersonDialog(texts, {
  isHost: () => members.isHost,
  whisper: (person) => composer.address(person),
  isHidden: (id) => hiding.has(id),
  toggle: (id) => hiding.toggle(id),
  promote: (id) => ask(connection.socket, "owner:put", { id }),
  remove: (id) => ask(connection.socket, "person:kick", { id }),
  explain: (error) => texts.error(codeOf(error)),
});

offerDeleting({
  me,
  isHost: () => members.isHost,
  remove: (seq) => ask(connection.socket, "chat:delete", { seq }),
  failed: (error) => composer.say(texts.error(codeOf(error))),
});

/** @param {Pick<Entry, "clientId" | "kind" | "chat" | "to">} said */
function say(said) {
  outbox.post(said);
  scroll.toEnd();
}

/**
 * @param {string} clientId
 * @param {AbortSignal} signal
 */
async function sendGif(clientId, signal) {
  const file = await files.find(clientId);
  if (!file) throw new Refused("gif_lost");
  return uploadGif(room, { clientId, file }, signal, (percent) => unsent.progress(clientId, percent));
}

const socket = connection.socket;
socket.on("chat", (chat) => {
  typing.other(chat.user, false);
  if (chat.user.id !== me && chat.kind !== "system" && !hiding.has(chat.user.id)) unread.add(1);
  void timeline.accept(chat);
});
socket.on("join", ({ person, chat, prev }) => {
  members.add(person);
  void timeline.accept(chat, prev);
});
socket.on("exit", ({ person, chat, prev }) => {
  members.remove(person);
  typing.other(person, false);
  composer.gone(person.id);
  someone.closeFor(person.id);
  void timeline.accept(chat, prev);
  if (person.id === me) connection.end("left");
});
socket.on("owner", (person) => members.crown(person));
socket.on("head", ({ seq }) => void timeline.head(seq));
socket.on("typing", ({ person, typing: mine }) => typing.other(person, mine));
socket.on("updateRoom", (changed) => {
  settings.update(changed);
  unread.retitled();
});
socket.on("chat:removed", ({ seq }) => log.empty(seq));

const gifs = new GifDialog(texts, mostBytes, (file) => {
  const clientId = newClientId();
  void files.keep(clientId, file);
  say({ clientId, kind: "gif" });
});
pickGifs({ chosen: (file) => gifs.open(file), refused: (code) => composer.say(texts.error(code)) });
new GifPlayer(texts);
const older = new OlderLines({ room, oldest: () => log.oldest, show: (chats) => timeline.insert(chats) });
offerLink(texts);
leaveBy(connection, () => {
  outbox.forget();
  composer.forget();
});

for (const clientId of log.clientIds) outbox.settle(clientId);
outbox.restore();
void keepPlace(room, scroll, (seq) => older.reach(seq));
void files.removeOld();
connection.open();

// A room, live. The parts know nothing of one another; this puts them together.

import { need } from "./dom.js";
import { inEnglish, names } from "./mentions.js";
import { asked, told } from "./protocol.js";
import { offerChoices } from "./reader.js";
import { Alerts } from "./room/alerts.js";
import { Composer } from "./room/composer.js";
import { Connection } from "./room/connection.js";
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
import { offerTools } from "./room/line-tools.js";
import { Log } from "./room/log.js";
import { Members } from "./room/members.js";
import { offerNames } from "./room/naming.js";
import { OlderLines } from "./room/older-lines.js";
import { Outbox } from "./room/outbox.js";
import { PersonDialog } from "./room/person-dialog.js";
import { keepPlace } from "./room/place.js";
import { Report } from "./room/report.js";
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
const alerts = new Alerts(texts);
const members = new Members(texts, me, {
  chosen: (person) => someone.open(person),
  host: (mine) => settings.offer(mine),
});
const ending = new Ending(texts);
const report = new Report(texts, room);

const timeline = new Timeline({
  seen: log.seqs,
  show: (chats) => {
    for (const clientId of log.show(chats)) outbox.settle(clientId);
    hiding.apply();
  },
  ask: (after) => ask(connection.socket, asked.CHAT_GET, { after, limit: 100 }),
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
    lines.call(welcome.you);
    members.replaceBy(welcome);
    await timeline.resume(welcome);
  },
  live: () => outbox.resume(),
});

const outbox = new Outbox(room, {
  isLive: () => connection.isLive,
  send: ({ clientId, kind, chat, to }, signal) => {
    if (kind === "gif") return sendGif(clientId, signal);
    if (to) return ask(connection.socket, asked.WHISPER_POST, { to: to.id, chat, clientId });
    return ask(connection.socket, asked.CHAT_POST, { chat, clientId });
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
  if (connection.isLive) connection.socket.volatile.emit(asked.TYPING, mine);
});

const composer = new Composer(texts, room, {
  post: (words, to) => {
    const chat = inEnglish(words, members.others, texts);
    say({ clientId: newClientId(), kind: to ? "whisper" : "chat", chat, ...(to && { to }) });
  },
  typing: (mine) => typing.me(mine),
  addressed: (words) => members.addressed(words),
});

const someone = new PersonDialog(texts, {
  isHost: () => members.isHost,
  whisper: (person) => composer.address(person),
  isHidden: (id) => hiding.has(id),
  toggle: (id) => hiding.toggle(id),
  promote: (id) => ask(connection.socket, asked.OWNER_PUT, { id }),
  remove: (id) => ask(connection.socket, asked.PERSON_KICK, { id }),
  report: (person) => report.open({ person }),
  explain: (error) => texts.error(codeOf(error)),
});

offerNames(texts, () => members.others);
offerChoices(texts, (choice) => (connection.isLive ? ask(connection.socket, asked.READER_PUT, choice) : null));

offerTools({
  me,
  isHost: () => members.isHost,
  remove: (seq) => ask(connection.socket, asked.CHAT_DELETE, { seq }),
  report: (seq) => report.open({ seq }),
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
socket.on(told.CHAT, (chat) => {
  typing.other(chat.user, false);
  if (chat.user.id !== me && chat.kind !== "system" && !hiding.has(chat.user.id)) {
    unread.add(1);
    if (chat.kind === "whisper") alerts.tell("whispered", chat.user);
    else if (names(chat.chat ?? "", lines.myName)) alerts.tell("mentioned", chat.user);
  }
  void timeline.accept(chat);
});
socket.on(told.JOIN, ({ person, chat, prev }) => {
  members.add(person);
  void timeline.accept(chat, prev);
});
socket.on(told.EXIT, ({ person, chat, prev }) => {
  members.remove(person);
  typing.other(person, false);
  composer.gone(person.id);
  someone.closeFor(person.id);
  void timeline.accept(chat, prev);
  if (person.id === me) connection.end("left");
});
socket.on(told.OWNER, (person) => members.crown(person));
socket.on(told.HEAD, ({ seq }) => void timeline.head(seq));
socket.on(told.TYPING, ({ person, typing: mine }) => typing.other(person, mine));
socket.on(told.UPDATE_ROOM, (changed) => {
  settings.update(changed);
  unread.retitled();
});
socket.on(told.CHAT_REMOVED, ({ seq }) => log.empty(seq));

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

// Entry script of the room page. It creates the parts and connects them, so that no part imports another one's state.

import { need } from "./dom.js";
import { inEnglish, names } from "./mentions.js";
import { asked, told } from "./protocol.js";
import { offerChoices } from "./reader.js";
import { Alerts } from "./room/settings/alerts.js";
import { TabStorage } from "./room/tab-storage.js";
import { Composer } from "./room/composer/composer.js";
import { Connection } from "./room/connection/connection.js";
import { emptyOnLeaving } from "./room/emptying.js";
import { Ending, isForGood } from "./room/connection/ending.js";
import { GifDialog } from "./room/gifs/gif-dialog.js";
import { pickGifs } from "./room/gifs/gif-picker.js";
import { playGifs } from "./room/gifs/gif-player.js";
import { uploadGif } from "./room/gifs/gif-upload.js";
import { Mute } from "./room/people/mute.js";
import { offerLink } from "./room/people/invitation.js";
import { KeptFiles } from "./room/gifs/kept-files.js";
import { leaveBy } from "./room/connection/leaving.js";
import { LineMaker } from "./room/messages/line-maker.js";
import { offerTools } from "./room/messages/line-tools.js";
import { Log } from "./room/messages/log.js";
import { Members } from "./room/people/members.js";
import { offerMentions } from "./room/composer/mention-autocomplete.js";
import { OlderLines } from "./room/messages/older-lines.js";
import { Outbox } from "./room/composer/outbox.js";
import { PersonDialog } from "./room/people/person-dialog.js";
import { restoreScroll } from "./room/messages/scroll-restore.js";
import { Report } from "./room/people/report.js";
import { Scroll } from "./room/messages/scroll.js";
import { Settings } from "./room/settings/settings.js";
import { Status } from "./room/connection/status.js";
import { Timeline } from "./room/messages/timeline.js";
import { Typing } from "./room/composer/typing.js";
import { Unread } from "./room/messages/unread.js";
import { Pending } from "./room/composer/pending.js";
import { Texts } from "./texts.js";
import { Refused, ask, codeOf, newClientId } from "./api.js";

/** @typedef {import("./room/composer/outbox.js").Entry} Entry */

const texts = await Texts.load();
const { room = "", maxGifBytes } = need(document, "[data-room]", HTMLElement).dataset;
const mostBytes = Number(maxGifBytes);
const me = document.body.dataset.me ?? "";

const scroll = new Scroll(texts);
const lines = new LineMaker(texts, me);
const log = new Log(lines, scroll);
const files = new KeptFiles();
const storage = new TabStorage(room);
const mute = new Mute(storage);
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
    mute.apply();
  },
  began: (more) => {
    if (more) older.offer();
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
    if (isForGood(reason)) forget();
    ending.say(reason, by);
  },
  welcome: async (welcome) => {
    lines.call(welcome.you);
    members.replaceBy(welcome);
    await timeline.resume(welcome);
  },
  live: () => outbox.resume(),
});

const outbox = new Outbox(storage, {
  isLive: () => connection.isLive,
  send: ({ clientId, kind, chat, to }, signal) => {
    if (kind === "gif") return sendGif(clientId, signal);
    if (to) return ask(connection.socket, asked.WHISPER_POST, { to: to.id, chat, clientId });
    return ask(connection.socket, asked.CHAT_POST, { chat, clientId });
  },
  shown: (entry, pause) => pending.show(entry, pause),
  sent: (clientId, chat) => pending.sent(clientId, chat, timeline.newest),
  over: (clientId) => void files.remove(clientId),
});

const pending = new Pending(lines, log, {
  files,
  mostBytes,
  retry: (clientId) => outbox.retry(clientId),
  discard: (clientId) => outbox.discard(clientId),
});

const typing = new Typing(texts, (mine) => {
  if (connection.isLive) connection.socket.volatile.emit(asked.TYPING, mine);
});

const composer = new Composer(texts, storage, {
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
  isMuted: (id) => mute.has(id),
  toggleMute: (id) => mute.toggle(id),
  promote: (id) => ask(connection.socket, asked.OWNER_PUT, { id }),
  remove: (id) => ask(connection.socket, asked.PERSON_KICK, { id }),
  report: (person) => report.open({ person }),
  explain: (error) => texts.error(codeOf(error)),
});

offerMentions(texts, () => members.others);
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
  return uploadGif(room, { clientId, file }, signal, (percent) => pending.progress(clientId, percent));
}

const socket = connection.socket;
socket.on(told.CHAT, (chat) => {
  typing.other(chat.user, false);
  if (chat.user.id !== me && chat.kind !== "system" && !mute.has(chat.user.id)) {
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
playGifs();
const older = new OlderLines({ room, oldest: () => log.oldest, show: (chats) => timeline.insert(chats) });
offerLink(texts);
leaveBy(connection, forget);

function forget() {
  outbox.forget();
  storage.forget();
}

for (const clientId of log.clientIds) outbox.settle(clientId);
outbox.restore();
void restoreScroll(storage, scroll, (seq) => older.reach(seq));
void files.removeOld();
emptyOnLeaving(() => {
  storage.close();
  connection.close();
});
storage.update();
connection.open();

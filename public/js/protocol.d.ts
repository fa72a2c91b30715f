// Made of docs/asyncapi.yaml by `make protocol`: change src/protocol instead.
/** A field that programs may send as a number, and forms as text. */
export type Text = string | number;
/** One room, or a page of the lobby, as it was asked for. */
export type RoomsFound = Room | Rooms;

/** A message. */
export interface Chat {
  /** The words; of a system message, in English. */
  chat?: string;
  /** What its sender calls it. */
  clientId?: string;
  /** When it was said. */
  createdAt: string;
  gif?: Gif;
  /** What the store calls it. */
  id: string;
  /** `chat`, `gif`, `system` or `whisper`. */
  kind: string;
  /** The room's message before it that everybody sees; only when it is told live. */
  prev?: number;
  /** Where it was said. */
  room: string;
  /** Its place there. */
  seq: number;
  system?: System;
  to?: Person;
  /** Who said it. */
  user: Person;
}
/** A shared GIF. */
export interface Gif {
  /** Size of the file, in bytes. */
  bytes: number;
  /** One time through all frames, in milliseconds. */
  durationMs: number;
  /** How many frames. */
  frames: number;
  /** Pixels down. */
  height: number;
  /** Where its first frame is, as a PNG. */
  poster: string;
  /** Where the file is. */
  url: string;
  /** Pixels across. */
  width: number;
}
/** What a system message says, for pages to translate. */
export interface System {
  /** `joined`, `left`, `kicked`, `owner`, … */
  code: string;
  /** Whom it is about. */
  person: Person;
}
/** Somebody. */
export interface Person {
  /** True for a program; absent for people. */
  bot?: boolean;
  /** `#rrggbb`. */
  color: string;
  /** The code of one of 24 colour words, for pages to translate. */
  hue: string;
  /** What rights hang on. */
  id: string;
  /** The English name, for programs. */
  name: string;
  /** The number beside the word. */
  number: number;
}
/** A message to delete. */
export interface ChatDelete {
  /** Its place in the room. */
  seq: number;
}
/** Which history to read: before a message, after one, or the newest. */
export interface ChatGet {
  /** The oldest ones after this. */
  after?: number;
  /** The newest ones before this. */
  before?: number;
  /** How many; at most, and by default, 100. */
  limit?: number;
}
/** Something to say. */
export interface ChatPost {
  /** The words. */
  chat: string;
  /** What the sender calls it, so that a retry is stored once. */
  clientId?: string;
}
/** A stretch of history. */
export interface Chats {
  /** In the order of `seq`, rising. */
  chats: Chat[];
  /** Whether there are more in the direction that was asked for. */
  more: boolean;
}
/** Why something was refused. */
export interface ErrorBody {
  /** What programs and translations call it. */
  code: string;
  /** What is wrong with each field, as codes. */
  fields?: {
    [k: string]: string;
  };
  /** In English. */
  message: string;
  /** Milliseconds until it may be tried again. */
  retryAfterMs?: number;
}
/** What a handshake brings to a room. */
export interface Handshake {
  /** The newest message they have. */
  after?: number;
  /** The room's password, from whoever has not shown it before. */
  password?: string;
  /** Which room; without it, the page's address says. */
  room?: string;
}
/** How far a room has got. */
export interface Head {
  /** The newest message that everybody sees. */
  seq: number;
}
/** You were removed. */
export interface Kicked {
  /** By whom. */
  by: Person;
}
/** Somebody came in, or is gone. */
export interface Presence {
  /** The stored system message. */
  chat: Chat;
  /** Whether they came in. */
  connected: boolean;
  /** How many people are there now. */
  currentUsers: number;
  /** Who. */
  person: Person;
  /** Always `system`. */
  user: string;
}
/** What a reader chooses for their pages. What is absent stays, what is empty is as their browser wants it. */
export interface ReaderPut {
  /** `en` or `ko`. */
  language?: string;
  /** `light` or `dark`. */
  theme?: string;
}
/** A message was deleted. */
export interface Removed {
  /** Its place in the room. */
  seq: number;
}
/** A room, as everybody may see it. */
export interface Room {
  /** Up to twelve of their colours. */
  colors: string[];
  /** How many are there. */
  count: number;
  /** When it was made. */
  createdAt: string;
  /** Its id. */
  id: string;
  /** Whether a password or a lock keeps newcomers out. */
  locked: boolean;
  /** How many people fit in. */
  max: number;
  /** Who may change it. */
  owner: Person;
  /** What it is listed under. */
  title: string;
}
/** A room to close. */
export interface RoomDelete {
  /** The room. */
  id: string;
}
/** Which rooms to see: one, or a page of those whose title holds `q`. */
export interface RoomGet {
  /** The room. */
  id?: string;
  /** Which page, from 1. */
  page?: number;
  /** What titles are searched for. */
  q?: string;
}
/** A room to make. */
export interface RoomPost {
  max?: Text;
  password?: Text;
  title?: Text;
}
/** What to change, and of which room. */
export interface RoomPut {
  /** The room. */
  id: string;
  /** Whether newcomers are kept out. */
  locked?: boolean;
  max?: Text;
  password?: Text;
  title?: Text;
}
/** A page of the lobby. */
export interface Rooms {
  /** Which page this is, from 1. */
  page: number;
  /** How many pages there are. */
  pages: number;
  /** The rooms, the liveliest first. */
  rooms: Room[];
  /** How many there are in all. */
  total: number;
}
/** Somebody is typing, or stopped. */
export interface Typing {
  /** Who. */
  person: Person;
  /** Whether they are. */
  typing: boolean;
}
/** The first word to whoever came in. */
export interface Welcome {
  /** In the order of `seq`, rising. */
  chats: Chat[];
  /** Whether there are more in the direction that was asked for. */
  more: boolean;
  /** Who is there, the longest first. */
  people: Person[];
  /** Where they are. */
  room: Room;
  /** Who they are here. */
  you: Person;
}
/** Something to say to one person. */
export interface WhisperPost {
  /** The words. */
  chat: string;
  /** What the sender calls it, so that a retry is stored once. */
  clientId?: string;
  /** The id of who is to hear it. */
  to: string;
}
/** Somebody, by their id. */
export interface Whom {
  /** The id. */
  id: string;
}

export const told: {
  CHAT: "chat",
  CHAT_REMOVED: "chat:removed",
  ERROR: "error",
  EXIT: "exit",
  HEAD: "head",
  JOIN: "join",
  KICKED: "kicked",
  NEW_ROOM: "newRoom",
  OWNER: "owner",
  REMOVE_ROOM: "removeRoom",
  TYPING: "typing",
  UPDATE_ROOM: "updateRoom",
  WELCOME: "welcome",
};

export const asked: {
  CHAT_DELETE: "chat:delete",
  CHAT_GET: "chat:get",
  CHAT_POST: "chat:post",
  EXIT: "exit",
  OWNER_PUT: "owner:put",
  PERSON_KICK: "person:kick",
  READER_PUT: "reader:put",
  ROOM_DELETE: "room:delete",
  ROOM_GET: "room:get",
  ROOM_POST: "room:post",
  ROOM_PUT: "room:put",
  TYPING: "typing",
  WHISPER_POST: "whisper:post",
};

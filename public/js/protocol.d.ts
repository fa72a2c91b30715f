// Made of docs/asyncapi.yaml by `make protocol`: change src/protocol instead.
/** A field that forms send as text and programs may send as a number. */
export type Text = string | number;
/** One room, or a page of the lobby, as requested. */
export type RoomsFound = Room | Rooms;

/** A message. */
export interface Chat {
  /** The text; a system message's in English. */
  chat?: string;
  /** The sender's name for the message. */
  clientId?: string;
  /** Time of the message. */
  createdAt: string;
  gif?: Gif;
  /** The message's id in the store. */
  id: string;
  /** `chat`, `gif`, `system` or `whisper`. */
  kind: string;
  /** Number of the room's previous message that everybody sees; only in live events. */
  prev?: number;
  /** The room's id. */
  room: string;
  /** Its number in the room. */
  seq: number;
  system?: System;
  to?: Person;
  /** The sender. */
  user: Person;
}
/** A shared GIF. */
export interface Gif {
  /** Size of the file, in bytes. */
  bytes: number;
  /** Duration of all frames, in milliseconds. */
  durationMs: number;
  /** Number of frames. */
  frames: number;
  /** Height, in pixels. */
  height: number;
  /** Path of the first frame, as a PNG. */
  poster: string;
  /** Path of the file. */
  url: string;
  /** Width, in pixels. */
  width: number;
}
/** A system message as a code; pages translate it. */
export interface System {
  /** `joined`, `left`, `kicked`, `owner`, … */
  code: string;
  /** The person it is about. */
  person: Person;
}
/** A person. */
export interface Person {
  /** True for a bot; absent otherwise. */
  bot?: boolean;
  /** The person's colour, as `#rrggbb`. */
  color: string;
  /** Code of one of 24 colour words; pages translate it. */
  hue: string;
  /** The person's id; rights belong to it. */
  id: string;
  /** The person's name in English, for programs. */
  name: string;
  /** The number in the person's name. */
  number: number;
}
/** A message to delete. */
export interface ChatDelete {
  /** Its number in the room. */
  seq: number;
}
/** A request for history: before a message, after a message, or the newest. */
export interface ChatGet {
  /** Read the oldest messages after this number. */
  after?: number;
  /** Read the newest messages before this number. */
  before?: number;
  /** Number of messages; at most, and by default, 100. */
  limit?: number;
}
/** A message to send. */
export interface ChatPost {
  /** The text. */
  chat: string;
  /** The sender's name for the message; the server stores repeated sends once. */
  clientId?: string;
}
/** A window of history. */
export interface Chats {
  /** The messages, in rising order of `seq`. */
  chats: Chat[];
  /** Whether there are more in the requested direction. */
  more: boolean;
}
/** An error, as clients receive it. */
export interface ErrorBody {
  /** The error's code, for programs and translations. */
  code: string;
  /** An error code for each invalid field. */
  fields?: {
    [k: string]: string;
  };
  /** The error's text, in English. */
  message: string;
  /** Milliseconds until the client may retry. */
  retryAfterMs?: number;
}
/** The `auth` of a handshake with a room. */
export interface Handshake {
  /** Number of the newest message that the client has. */
  after?: number;
  /** The room's password; needed unless this session has shown it before. */
  password?: string;
  /** The room's id; absent when the page's address names the room. */
  room?: string;
}
/** The newest message of a room. */
export interface Head {
  /** Number of the newest message that everybody sees. */
  seq: number;
}
/** The owner removed you. */
export interface Kicked {
  /** The owner who did. */
  by: Person;
}
/** A person entered or left a room. */
export interface Presence {
  /** The stored system message. */
  chat: Chat;
  /** True when the person entered. */
  connected: boolean;
  /** Number of people in the room now. */
  currentUsers: number;
  /** The person. */
  person: Person;
  /** Always `system`. */
  user: string;
}
/** A reader's preferences. An absent field stays as it is; an empty one follows the browser. */
export interface ReaderPut {
  /** `en` or `ko`. */
  language?: string;
  /** `light` or `dark`. */
  theme?: string;
}
/** A message was deleted. */
export interface Removed {
  /** Its number in the room. */
  seq: number;
}
/** The public data of a room. */
export interface Room {
  /** The colours of up to twelve of them. */
  colors: string[];
  /** Number of people in the room. */
  count: number;
  /** Time of its creation. */
  createdAt: string;
  /** The room's id. */
  id: string;
  /** Whether the room has a password or a lock. */
  locked: boolean;
  /** The capacity, in people. */
  max: number;
  /** The person who may change the room. */
  owner: Person;
  /** The title. */
  title: string;
}
/** A room to close. */
export interface RoomDelete {
  /** The room's id. */
  id: string;
}
/** A request for one room, or for a page of the rooms whose titles contain `q`. */
export interface RoomGet {
  /** The room's id. */
  id?: string;
  /** The page's number, from 1. */
  page?: number;
  /** Text to find in titles; empty for all rooms. */
  q?: string;
}
/** A room to create. */
export interface RoomPost {
  max?: Text;
  password?: Text;
  title?: Text;
}
/** A room, and the changes to it. */
export interface RoomPut {
  /** The room's id. */
  id: string;
  /** Whether the room refuses new people. */
  locked?: boolean;
  max?: Text;
  password?: Text;
  title?: Text;
}
/** A page of the lobby. */
export interface Rooms {
  /** This page's number, from 1. */
  page: number;
  /** Number of pages. */
  pages: number;
  /** The rooms, the liveliest first. */
  rooms: Room[];
  /** Number of rooms on all pages. */
  total: number;
}
/** A person started or stopped typing. */
export interface Typing {
  /** The person. */
  person: Person;
  /** True when the person started. */
  typing: boolean;
}
/** The first event after a client has entered a room. */
export interface Welcome {
  /** The messages, in rising order of `seq`. */
  chats: Chat[];
  /** Whether there are more in the requested direction. */
  more: boolean;
  /** The people in the room, in order of arrival. */
  people: Person[];
  /** The room. */
  room: Room;
  /** The client's person, as named in this room. */
  you: Person;
}
/** A whisper to send. */
export interface WhisperPost {
  /** The text. */
  chat: string;
  /** The sender's name for the message; the server stores repeated sends once. */
  clientId?: string;
  /** The recipient's id. */
  to: string;
}
/** A person, by id. */
export interface Whom {
  /** The person's id. */
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

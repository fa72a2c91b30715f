// Made of docs/asyncapi.yaml by `make protocol`: change src/protocol instead.

export const told = {
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

export const asked = {
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

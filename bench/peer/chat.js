// The inside of a room: its messages over HTTP, and everything live.

import { roomJson } from "./lobby.js";
import { Refusal } from "./refusal.js";

export function serveChat({ app, io, rooms }) {
  app.get("/room/:id/chat", async (request, response) => {
    const numbers = Object.entries(request.query).map(([name, text]) => [name, Number(text)]);
    const window = Object.fromEntries(numbers);
    const { id } = request.params;
    response.json(historyJson(await rooms.history(id, request.session.person, window)));
  });

  app.post("/room/:id/chat", async (request, response) => {
    const message = await rooms.say(request.params.id, request.session.person, request.body);
    response.status(201).json(chatJson(message));
  });

  const chat = io.of("/chat");
  chat.use(async (socket, next) => {
    try {
      await admit(rooms, socket);
      next();
    } catch (error) {
      next(new Error(Refusal.of(error).code));
    }
  });
  chat.on("connection", (socket) => connected(rooms, socket));
  tellRooms(chat, rooms);
}

/** Takes a seat, and sees to it that it is let go of, however the connection ends. */
async function admit(rooms, socket) {
  const { person } = socket.conn;
  const { room: id } = socket.handshake.auth;
  if (!person) throw new Refusal("unauthorized");
  if (typeof id !== "string") throw new Refusal("no_such_room");
  socket.data.room = await rooms.enter(id, person);
  let isHeld = true;
  const letGo = () => {
    if (isHeld) rooms.letGo(id, person);
    isHeld = false;
  };
  socket.once("disconnect", letGo);
  socket.conn.once("close", letGo); // It may close before the socket is connected.
  if (socket.conn.readyState !== "open") letGo();
}

function connected(rooms, socket) {
  const { room } = socket.data;
  const { person } = socket.conn;
  const id = room._id;
  socket.data = {}; // The rest of the connection's life does not need it.

  const answer = (event, action) => {
    socket.on(event, async (...args) => {
      const ack = typeof args.at(-1) === "function" ? args.pop() : undefined;
      try {
        const data = await action(args[0] ?? {});
        ack?.({ ok: true, data });
      } catch (error) {
        const refusal = Refusal.of(error);
        if (ack) ack({ ok: false, error: refusal });
        else socket.emit("error", refusal);
      }
    });
  };
  answer("chat:post", async (said) => chatJson(await rooms.say(id, person, said)));
  answer("chat:get", async (window) => historyJson(await rooms.history(id, person, window)));
  answer("exit", async () => {
    // Out of the room first: the answer must come before the end of the connection.
    socket.leave(id);
    socket.leave(seatOf(id, person));
    await rooms.exit(id, person).finally(() => setImmediate(() => socket.disconnect()));
    return null;
  });

  const { after } = socket.handshake.auth;
  const welcome = (history) => {
    if (!socket.connected) return;
    socket.join([id, seatOf(id, person)]);
    const people = room.people.map(({ since, ...there }) => there);
    socket.emit("welcome", {
      room: roomJson(room),
      you: person,
      people,
      ...historyJson(history),
    });
  };
  rooms.greet(id, Number.isSafeInteger(after) ? after : undefined, welcome).catch((error) => {
    socket.emit("error", Refusal.of(error));
    socket.disconnect(); // It comes back by itself, and is greeted then.
  });
}

function tellRooms(chat, rooms) {
  rooms.on("said", (message, prev) => {
    chat.to(message.room).emit("chat", chatJson(message, prev));
  });
  rooms.on("joined", (person, count, message, prev) => {
    chat.to(message.room).emit("join", presence(person, count, true, chatJson(message, prev)));
  });
  rooms.on("left", (person, count, message, prev) => {
    chat.to(message.room).emit("exit", presence(person, count, false, chatJson(message, prev)));
    chat.in(seatOf(message.room, person)).disconnectSockets();
  });
  rooms.on("owner", (id, person) => chat.to(id).emit("owner", person));
  rooms.on("closed", (id) => {
    chat.to(id).emit("removeRoom", id);
    chat.in(id).disconnectSockets();
  });
}

/** The Socket.IO room of one person's sockets in one room. */
function seatOf(id, person) {
  return `${id}/${person.id}`;
}

function presence(person, currentUsers, connected, chat) {
  return { user: "system", person, currentUsers, connected, chat };
}

/** A message as it travels; with the number of the one before it when it is told live. */
function chatJson(message, prev) {
  return {
    id: message._id.toHexString(),
    room: message.room,
    seq: message.seq,
    prev,
    kind: message.kind,
    user: message.user,
    chat: message.chat,
    system: message.system,
    clientId: message.clientId,
    createdAt: message.createdAt.toISOString(),
  };
}

function historyJson({ messages, more }) {
  return { chats: messages.map((message) => chatJson(message)), more };
}

// The textbook's stack with Huechat's contract: Express, sessions in MongoDB, Socket.IO.
//
// Read in this order: `person.js` is who somebody is, `rooms.js` what people may do, `lane.js` how
// messages are stored together, the two stores where things are kept, and `lobby.js` and
// `chat.js` the routes and the sockets. Here the pieces are put together.
//
// Environment: `HOST`, `PORT`, `MONGODB_URI` with the database's name as its path, `COOKIE_SECRET`,
// `ROOM_GRACE` in seconds, and `STORE=off` to keep everything in memory.

import { createServer } from "node:http";

import compression from "compression";
import express from "express";
import session from "express-session";
import { Server } from "socket.io";

import { serveChat } from "./chat.js";
import { serveLobby } from "./lobby.js";
import { personOf } from "./person.js";
import { Refusal } from "./refusal.js";
import { Rooms } from "./rooms.js";
import { MemoryStore } from "./store-memory.js";
import { MongoStore } from "./store-mongo.js";

const env = process.env;
const secret = env.COOKIE_SECRET || "only for measuring, and never for people";
const SESSION_MS = 7 * 24 * 60 * 60 * 1000;
/** A message of 2,000 characters, escaped, fits many times over. */
const MAX_BODY_BYTES = 64 * 1024;

const store =
  env.STORE === "off"
    ? new MemoryStore()
    : await MongoStore.open(env.MONGODB_URI || "mongodb://127.0.0.1:27017/huechat");
const rooms = new Rooms(store, Number(env.ROOM_GRACE || 10) * 1000);
await rooms.resume();

const sessions = session({
  name: "huechat.sid",
  secret,
  store: store.sessions(SESSION_MS),
  cookie: { httpOnly: true, sameSite: "lax", maxAge: SESSION_MS },
  resave: false,
  saveUninitialized: false,
});

const app = express();
app.disable("x-powered-by");
app.disable("etag"); // What is served here changes with every visitor.
app.use((_request, response, next) => {
  response.set({
    "content-security-policy": "default-src 'self'; style-src 'self' 'unsafe-inline'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
  });
  next();
});
app.use(compression());
app.use(sessions);
app.use((request, _response, next) => {
  request.session.person ??= personOf(request.sessionID, secret);
  next();
});
app.use(express.json({ limit: MAX_BODY_BYTES }));

const server = createServer(app);
const io = new Server(server, { serveClient: false, maxHttpBufferSize: MAX_BODY_BYTES });
io.engine.use((request, response, next) => {
  const isHandshake = request._query.sid === undefined;
  isHandshake ? sessions(request, response, next) : next();
});
io.engine.on("connection", (connection) => {
  connection.person = connection.request.session.person;
  connection.request = null; // It would be kept for as long as the connection.
});

serveLobby({ app, io, rooms, store });
serveChat({ app, io, rooms });

app.use((error, _request, response, _next) => {
  const refusal = Refusal.of(error);
  response.status(refusal.status).json({ error: refusal });
});

// Thousands may come at once: the default of 511 would let most of them wait for a second.
const at = { port: Number(env.PORT || 8005), host: env.HOST || "127.0.0.1", backlog: 4096 };
server.listen(at, () => {
  const { address, port } = server.address();
  console.error(`listening on http://${address}:${port}`);
});

process.once("SIGTERM", async () => {
  await io.close();
  await store.close();
  process.exit(0);
});

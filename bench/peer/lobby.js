// The lobby: which rooms there are, as a page, as JSON, and live.

const PAGE = 50;
const COLORS = 12;
/** Changes of a room within this time are told as one. */
const GATHER_MS = 500;

/** A room as everybody may see it. */
export function roomJson(room) {
  return {
    id: room._id,
    title: room.title,
    max: room.max,
    count: room.count,
    colors: room.people.slice(0, COLORS).map(({ color }) => color),
    owner: room.owner,
    locked: false,
    createdAt: room.createdAt.toISOString(),
  };
}

export function serveLobby({ app, io, rooms, store }) {
  app.get("/", async (request, response) => {
    const asked = Number(request.query.page);
    const page = Number.isSafeInteger(asked) && asked > 0 ? asked : 1;
    const { rooms, total } = await store.lobby((page - 1) * PAGE, PAGE);
    const pages = Math.max(1, Math.ceil(total / PAGE));
    if (request.accepts(["html", "json"]) === "json") {
      response.json({ rooms: rooms.map(roomJson), total, page, pages });
    } else {
      response.send(html(request.session.person, rooms, { total, page, pages }));
    }
  });

  app.post("/room", async (request, response) => {
    const room = await rooms.open(request.session.person, request.body);
    response.status(201).location(`/room/${room._id}`).json(roomJson(room));
  });

  const lobby = io.of("/room");
  lobby.use((socket, next) => next(socket.conn.person ? undefined : new Error("unauthorized")));
  tellLobby(lobby, rooms, store);
}

/** A changed room is looked up when it is told, and its removal is the last word about it. */
function tellLobby(lobby, rooms, store) {
  const changed = new Set();
  const closed = new Set();
  let timer;

  async function tellChanges() {
    const ids = [...changed];
    changed.clear();
    closed.clear();
    try {
      for (const room of await store.summaries(ids)) {
        if (!closed.has(room._id)) lobby.emit("updateRoom", roomJson(room));
      }
    } catch (error) {
      console.error(error);
      for (const id of ids) changed.add(id);
    }
    timer = changed.size > 0 ? setTimeout(tellChanges, GATHER_MS) : undefined;
  }

  rooms.on("opened", (room) => lobby.emit("newRoom", roomJson(room)));
  rooms.on("changed", (id) => {
    changed.add(id);
    timer ??= setTimeout(tellChanges, GATHER_MS);
  });
  rooms.on("closed", (id) => {
    changed.delete(id);
    closed.add(id);
    lobby.emit("removeRoom", id);
  });
}

function html(me, rooms, { total, page, pages }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Rooms where you are a colour</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
</head>
<body data-me="${me.id}">
<main class="lobby">
<h1>Hello. You are <span style="color:${me.color}">${me.name}</span></h1>
<h2>Open rooms <span data-total>${total}</span></h2>
<ul class="rooms" data-page="${page}">
${rooms.map(card).join("\n")}
</ul>
${page < pages ? `<a href="/?page=${page + 1}">More</a>` : ""}
</main>
</body>
</html>
`;
}

function card(room) {
  const { _id: id, title, count, max, people, owner } = room;
  const taken = people.map(({ color }) => `<span class="dot" style="color:${color}"></span>`);
  const free = Math.max(0, Math.min(max, COLORS) - taken.length);
  return `<li class="card" data-room="${id}" data-count="${count}" data-max="${max}">
<a class="card__link" href="/room/${id}">${escaped(title)}</a>
<p class="card__owner">host <span style="color:${owner.color}">${owner.name}</span></p>
<p class="card__people">
<span class="dots">${taken.join("")}${'<span class="dot dot--free"></span>'.repeat(free)}</span>
<span class="card__count">${count} of ${max}</span>${count >= max ? " full" : ""}
</p>
</li>`;
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text) {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

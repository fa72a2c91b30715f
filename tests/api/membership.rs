//! A connection hears a room exactly while it holds a seat there, in whatever order things happen.

use serde_json::{Value, json};

use crate::{
    common::{
        Backend, Bot, Browser, Socket,
        server::{Home, Process},
        socket::Heard,
        soon, until,
    },
    on_both_stores,
};

on_both_stores!(
    of_two_tabs_that_leave_at_once_neither_hears_the_room,
    a_tab_that_enters_while_another_leaves_has_a_seat_or_hears_nothing,
    somebody_kicked_while_their_other_tab_enters_hears_nothing,
    of_two_connections_of_a_bot_that_leave_at_once_neither_hears_the_room,
);

/// Each order of two requests comes up within so many tries.
const TRIES: usize = 12;

/// A room with its owner in it, and one visitor more.
struct Tea {
    server: Process,
    room: String,
    owner: Browser,
    owners: Socket,
    ben: Browser,
}

impl Tea {
    async fn on(backend: Backend) -> Self {
        let off = [("RATE_ENTERING", "off"), ("RATE_ITEMS", "off"), ("KICK_NETWORKS", "off")];
        let server = Process::start(Home::new(backend, &off)).await;
        let (owner, ben) = (server.browser().await, server.browser().await);
        let room = owner.create_room("tea", 50).await;
        let (owners, _) = owner.enter(&room).await;
        Self { server, room, owner, owners, ben }
    }

    /// How many people are in the room, as the store has it.
    async fn count(&self) -> u64 {
        let (_, found) = self.owner.get_json(&format!("/room/{}", self.room)).await;
        found["count"].as_u64().unwrap()
    }

    /// What a connection hears until it ends or has heard what the owner says now.
    async fn hears(&mut self, socket: &mut Socket, words: &str) -> bool {
        self.owners.say(words).await;
        loop {
            match soon("an event", socket.hear()).await {
                None => return false,
                // Somebody who enters meanwhile has it in their greeting.
                Some(Heard::Event(_, data)) if data.to_string().contains(words) => return true,
                Some(_) => {}
            }
        }
    }

    /// Everything was in order without the check that looks for connections without a seat.
    fn nothing_had_to_be_ended(&self) {
        let log = self.server.log();
        let ended: Vec<_> = log.iter().filter(|line| line.contains("without a seat")).collect();
        assert!(ended.is_empty(), "{ended:?}");
    }
}

async fn of_two_tabs_that_leave_at_once_neither_hears_the_room(on: Backend) {
    let mut tea = Tea::on(on).await;
    for attempt in 0..TRIES {
        let ((mut one, _), (mut other, _)) =
            (tea.ben.enter(&tea.room).await, tea.ben.enter(&tea.room).await);
        let asked =
            (one.ask_now("exit", json!(null)).await, other.ask_now("exit", json!(null)).await);
        // An exit is acknowledged, or the other one has ended the connection before.
        one.answer(asked.0).await;
        other.answer(asked.1).await;

        for tab in [&mut one, &mut other] {
            assert!(!tea.hears(tab, &format!("after exit {attempt}")).await, "{attempt}");
        }
        assert_eq!(tea.count().await, 1);
    }
    tea.nothing_had_to_be_ended();
}

async fn a_tab_that_enters_while_another_leaves_has_a_seat_or_hears_nothing(on: Backend) {
    let mut tea = Tea::on(on).await;
    for attempt in 0..TRIES {
        let (mut one, _) = tea.ben.enter(&tea.room).await;
        let entering = {
            let (ben, room) = (tea.ben.clone(), tea.room.clone());
            tokio::spawn(async move { ben.try_enter(json!({ "room": room })).await })
        };
        one.ask("exit", json!(null)).await;
        let Ok(mut other) = entering.await.unwrap() else { continue };

        let hears = tea.hears(&mut other, &format!("while entering {attempt}")).await;

        assert_eq!(tea.count().await == 2, hears, "{attempt}");
        other.try_ask_now("exit", json!(null)).await.ok();
        until("ben to have left", || async { tea.count().await == 1 }).await;
    }
    tea.nothing_had_to_be_ended();
}

async fn somebody_kicked_while_their_other_tab_enters_hears_nothing(on: Backend) {
    let mut tea = Tea::on(on).await;
    for attempt in 0..TRIES {
        let ben = tea.server.browser().await;
        let (_one, welcome) = ben.enter(&tea.room).await;
        let entering = {
            let (ben, room) = (ben.clone(), tea.room.clone());
            tokio::spawn(async move { ben.try_enter(json!({ "room": room })).await })
        };
        let kicked = tea.owners.ask("person:kick", json!({ "id": welcome["you"]["id"] })).await;
        assert_eq!(kicked["ok"], true, "{kicked}");

        if let Ok(mut other) = entering.await.unwrap() {
            assert!(!tea.hears(&mut other, &format!("after the kick {attempt}")).await);
        }
        assert_eq!(tea.count().await, 1);
    }
    tea.nothing_had_to_be_ended();
}

async fn of_two_connections_of_a_bot_that_leave_at_once_neither_hears_the_room(on: Backend) {
    let mut tea = Tea::on(on).await;
    let token = tea.ben.make_token().await;
    let (mut one, _) = Bot::with_token(tea.server.address, &token).await;
    let (mut other, _) = Bot::with_token(tea.server.address, &token).await;
    for attempt in 0..TRIES {
        one.join(&tea.room).await;
        other.join(&tea.room).await;
        let leave = json!({ "room": tea.room });
        one.ask("ROOM_LEAVE", leave.clone()).await;
        other.ask("ROOM_LEAVE", leave).await;
        for bot in [&mut one, &mut other] {
            bot.wait_for("ROOM_LEAVE").await;
        }

        let words = format!("after leaving {attempt}");
        tea.owners.say(&words).await;
        assert_eq!(tea.count().await, 1);
        // Whoever still heard the room would have got the words before the answer to the next frame.
        for bot in [&mut one, &mut other] {
            bot.ask("HEARTBEAT", Value::Null).await;
            loop {
                let (op, frame) = bot.hear().await.unwrap();
                assert_ne!(frame["chat"], words, "{frame}");
                if op == "HEARTBEAT_ACK" {
                    break;
                }
            }
        }
    }
    tea.nothing_had_to_be_ended();
}

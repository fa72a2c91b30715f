//! How the actions are done: as the edges do them.

use std::sync::Arc;

use huechat::{
    chat::{ChatService, RoomChangeForm, Subscriber},
    domain::{PersonId, RoomId},
};

use crate::{
    actions::{Action, BOT, Kind, PEOPLE},
    edge::Tab,
    schedule::Schedule,
    scheduler::Side,
    stage,
};

/// A new connection enters, and is greeted.
pub fn enter(on: &Schedule<'_>, who: usize) -> impl Future<Output = ()> + Send + use<> {
    let (server, room, person) = (on.server.clone(), on.room.clone(), on.people[who].clone());
    let maker = on.maker(who);
    async move {
        let entered = server.chat.enter(&room, &person, None, None, None, maker.as_ref()).await;
        let Ok(guard) = entered else { return };
        let tab = Tab::new(&server.connections, guard);
        server.tabs.lock().push(tab.clone());
        server.gates.pass("handshake", Side::Between).await;
        server.chat.greet(Arc::new(tab), None);
    }
}

/// Begins an action; false when it cannot happen now.
pub fn begin(on: &mut Schedule<'_>, action: &Action) -> bool {
    match action.kind {
        Kind::Enter | Kind::Return => begin_entering(on, action.who),
        Kind::Exit => return begin_exit(on, action),
        Kind::Drop => return begin_drop(on, action),
        Kind::Say => return begin_saying(on, action),
        Kind::SessionEnd => return end_session(on, action.who % BOT),
        Kind::TokenEnd => return end_token(on),
        Kind::Kick | Kind::HandOver | Kind::Lock | Kind::Resize | Kind::Close => {
            begin_as_owner(on, action);
        }
        Kind::Leave => {
            let (chat, room) = (on.server.chat.clone(), on.room.clone());
            let person = on.people[action.who].clone();
            on.act(Kind::Leave, action.who, async move {
                chat.exit(&room, &person).await.ok(); // They may have left.
            });
        }
        Kind::Sit => {
            let who = action.who % BOT;
            let (chat, room) = (on.server.chat.clone(), on.room.clone());
            let person = on.people[who].clone();
            on.act(Kind::Sit, who, async move {
                chat.sit(&room, &person, None, None).await.ok(); // They may be refused.
            });
        }
        Kind::Stop => on.stop(stage::stop(on.server.clone())),
        Kind::TimePasses | Kind::Kill => on.note(action.kind, &format!("{:?}", action.kind)),
    }
    true
}

fn begin_entering(on: &mut Schedule<'_>, who: usize) {
    let id = &on.people[who].id;
    let is_away =
        on.model.has_seat(id) && !on.model.holding().iter().any(|held| held.person == *id);
    let kind = if is_away { Kind::Return } else { Kind::Enter };
    let entering = enter(on, who);
    on.act(kind, who, entering);
}

/// A tab of a person, or of anybody when that person has none.
fn tab(on: &Schedule<'_>, action: &Action) -> Option<(usize, Tab)> {
    let tabs = on.server.tabs.lock();
    let id = &on.people[action.who].id;
    let theirs: Vec<_> = tabs.iter().filter(|tab| tab.person() == id).collect();
    let among = if theirs.is_empty() { tabs.iter().collect() } else { theirs };
    let tab = among.get(action.nth.checked_rem(among.len())?)?;
    let who = on.people.iter().position(|one| one.id == *tab.person())?;
    Some((who, (*tab).clone()))
}

fn begin_exit(on: &mut Schedule<'_>, action: &Action) -> bool {
    let Some((who, tab)) = tab(on, action).filter(|(_, tab)| tab.begins_exit()) else {
        return false;
    };
    let server = on.server.clone();
    on.act(Kind::Exit, who, async move {
        let subscriber: Arc<dyn Subscriber> = Arc::new(tab.clone());
        if server.chat.exit_by(&subscriber).await.is_ok() {
            server.tabs.lock().retain(|other| !other.is(&tab));
            tab.close();
        } else {
            tab.stays();
        }
    });
    true
}

fn begin_drop(on: &mut Schedule<'_>, action: &Action) -> bool {
    let Some((who, tab)) = tab(on, action) else { return false };
    let server = on.server.clone();
    on.act(Kind::Drop, who, async move {
        server.tabs.lock().retain(|other| !other.is(&tab));
        tab.close();
    });
    true
}

fn begin_saying(on: &mut Schedule<'_>, action: &Action) -> bool {
    let Some((who, tab)) = tab(on, action) else { return false };
    let (chat, room) = (on.server.chat.clone(), on.room.clone());
    on.act(Kind::Say, who, async move {
        let said = chat.say(&room, Schedule::requester(tab.person()), "hello", None);
        said.await.ok(); // They may have no seat any more.
    });
    true
}

/// The open connections of a person, which are open no more.
fn take_tabs(on: &Schedule<'_>, who: usize) -> Option<Vec<Tab>> {
    let id = &on.people[who].id;
    let tabs: Vec<_> = on.server.tabs.lock().extract_if(.., |tab| tab.person() == id).collect();
    (!tabs.is_empty()).then_some(tabs)
}

fn end_session(on: &mut Schedule<'_>, who: usize) -> bool {
    let Some(tabs) = take_tabs(on, who) else { return false };
    on.act(Kind::SessionEnd, who, async move { tabs.iter().for_each(Tab::close) });
    true
}

fn end_token(on: &mut Schedule<'_>) -> bool {
    let Some(tabs) = take_tabs(on, BOT) else { return false };
    let (chat, room, bot) = (on.server.chat.clone(), on.room.clone(), on.people[BOT].clone());
    on.act(Kind::TokenEnd, BOT, async move {
        tabs.iter().for_each(Tab::end);
        chat.exit_all(&bot, [room]).await;
        tabs.iter().for_each(Tab::close);
    });
    true
}

fn begin_as_owner(on: &mut Schedule<'_>, action: &Action) {
    let owner = on.people.iter().position(|one| one.id == *on.model.owner()).unwrap();
    // Sometimes somebody tries who is not.
    let who = if action.nth == 0 { action.who } else { owner };
    let whom = if action.whom == who { (action.whom + 1) % PEOPLE } else { action.whom };
    let (chat, room) = (on.server.chat.clone(), on.room.clone());
    let (me, whom) = (on.people[who].id.clone(), on.people[whom].id.clone());
    let (kind, change) = (action.kind, change(action));
    on.act(kind, who, async move { act_as_owner(&chat, &room, &me, &whom, kind, change).await });
}

fn change(action: &Action) -> RoomChangeForm {
    if action.kind == Kind::Lock {
        RoomChangeForm { locked: Some(action.nth.is_multiple_of(2)), ..RoomChangeForm::default() }
    } else {
        let max = Some((2 + action.whom % 3).to_string());
        RoomChangeForm { max, ..RoomChangeForm::default() }
    }
}

/// Does what only the owner may do. It may be refused.
async fn act_as_owner(
    chat: &ChatService,
    room: &RoomId,
    me: &PersonId,
    whom: &PersonId,
    kind: Kind,
    change: RoomChangeForm,
) {
    let me = Schedule::requester(me);
    if kind == Kind::Kick {
        chat.kick(room, me, whom).await.ok();
    } else if kind == Kind::HandOver {
        chat.hand_over(room, me, whom).await.ok();
    } else if kind == Kind::Close {
        chat.close(room, me).await.ok();
    } else {
        chat.change(room, me, &change).await.ok();
    }
}

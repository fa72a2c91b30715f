//! Batches of many rooms, stored together.
//!
//! While some are on their way to the server, those of other rooms collect, and share the next three
//! commands: one takes numbers in all their rooms, one reads them back, one inserts. For a lone batch
//! one update does the first two. What goes wrong for all is tried for each of them alone, where the
//! driver knows what may be repeated.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
};

use futures_util::{TryStreamExt as _, future::try_join_all};
use mongodb::{
    Collection, Database,
    bson::{Document, doc, oid::ObjectId},
    options::ReturnDocument,
};
use tokio::sync::{mpsc, oneshot};

use super::{
    chat_document::ChatDocument,
    connection::in_time,
    decided::{Decided, UnderWay},
    messages::{Attempt, Place, counters, doubled},
    room_document::RoomDocument,
};
use crate::{
    domain::{Draft, RoomId, Seq},
    store::{Error, Result},
};

/// No more are added to so many messages that are inserted together, or to so many batches.
const MAX_MESSAGES: usize = 1_000;
const MAX_BATCHES: usize = 1_000;

/// What a room's batch became; `None` without such a room.
pub(super) type Written = Option<(Place, Vec<Attempt>, HashSet<Seq>)>;

/// The way into the database for what is said.
#[derive(Debug)]
pub(super) struct Together(mpsc::UnboundedSender<Batch>);

#[derive(Debug)]
struct Batch {
    room: RoomId,
    drafts: Arc<[Draft]>,
    answer: oneshot::Sender<Result<Written>>,
}

impl Batch {
    /// Whoever has stopped waiting may say it again: stored now, it would be there twice.
    fn is_awaited(&self) -> bool {
        !self.answer.is_closed()
    }
}

/// Where they go.
#[derive(Debug, Clone)]
pub(super) struct Collections {
    pub(super) database: Database,
    pub(super) rooms: Collection<RoomDocument>,
    pub(super) chats: Collection<ChatDocument>,
    pub(super) decided: Decided,
}

/// A batch with its numbers.
struct Numbered {
    batch: Batch,
    place: Option<Place>,
    attempts: Vec<Attempt>,
}

impl Together {
    /// Writes until this is dropped.
    pub(super) fn new(collections: Collections) -> Self {
        let (queue, waiting) = mpsc::unbounded_channel();
        tokio::spawn(collections.write_all(waiting));
        Self(queue)
    }

    /// Stores what can be of a room's drafts, after those of the same room that came before.
    pub(super) async fn write(&self, room: &RoomId, drafts: Arc<[Draft]>) -> Result<Written> {
        let (answer, answered) = oneshot::channel();
        let ended = || Error::new("the writer has ended");
        self.0.send(Batch { room: room.clone(), drafts, answer }).map_err(|_| ended())?;
        answered.await.map_err(|_| ended())?
    }
}

impl Collections {
    async fn write_all(self, mut waiting: mpsc::UnboundedReceiver<Batch>) {
        let mut held = VecDeque::new();
        loop {
            if held.is_empty() {
                let Some(first) = waiting.recv().await else { return };
                held.push_back(first);
            }
            while held.len() < MAX_BATCHES
                && let Ok(next) = waiting.try_recv()
            {
                held.push_back(next);
            }
            let group = next_group(&mut held);
            if !group.is_empty() {
                self.write(group).await;
            }
        }
    }

    async fn write(&self, group: Vec<Batch>) {
        let numbered = match in_time(self.number(&group)).await {
            Ok(places) => group.into_iter().zip(places).filter_map(Numbered::of),
            Err(cause) => return refuse(group, cause),
        };
        let numbered: Vec<Numbered> = numbered.filter(|one| one.batch.is_awaited()).collect();
        match in_time(self.insert(&numbered)).await {
            Ok(stored) => {
                for (numbered, stored) in numbered.into_iter().zip(stored) {
                    let Numbered { batch, place, attempts } = numbered;
                    let written = place.map(|place| (place, attempts, stored));
                    batch.answer.send(Ok(written)).ok(); // They have gone; it is stored all the same.
                }
            }
            Err(cause) => refuse(numbered.into_iter().map(|numbered| numbered.batch), cause),
        }
    }

    /// Takes numbers for all batches.
    async fn number(&self, group: &[Batch]) -> Result<Vec<Option<Place>>> {
        let mut places = match group {
            [] | [_] => HashMap::new(),
            // Each is tried alone below: numbers that were taken all the same stay unused.
            several => self.take_together(several).await.unwrap_or_default(),
        };
        try_join_all(group.iter().map(|batch| {
            let place = places.remove(batch.room.as_str());
            async move {
                match place {
                    Some(place) => Ok(Some(place)),
                    None => self.take_alone(batch).await,
                }
            }
        }))
        .await
    }

    /// Takes numbers in many rooms, and gives those that were found taken. Between the update and the
    /// reading another server may take more in some room; then its name is on them.
    async fn take_together(&self, group: &[Batch]) -> Result<HashMap<String, Place>> {
        let taker = ObjectId::new().to_hex();
        let updates: Vec<Document> = group
            .iter()
            .map(|batch| {
                let counters = counters(&batch.drafts, &taker);
                doc! { "q": { "_id": batch.room.as_str() }, "u": [{ "$set": counters }] }
            })
            .collect();
        let update = doc! {
            "update": self.rooms.name(), "updates": updates, "ordered": false,
            "writeConcern": { "w": "majority", "j": true },
        };
        self.database.run_command(update).await?;
        let names: Vec<&str> = group.iter().map(|batch| batch.room.as_str()).collect();
        let places = self.rooms.clone_with_type::<Place>();
        let places = places.find(doc! { "_id": { "$in": names }, "takenBy": &taker });
        let places: Vec<Place> = places.projection(Place::fields()).await?.try_collect().await?;
        Ok(places.into_iter().map(|place| (place.room.clone(), place)).collect())
    }

    /// Asks for the room as it is afterwards, and keeps the old head in it: that tells all, and what
    /// was before is not told truly by every server that speaks the protocol.
    async fn take_alone(&self, batch: &Batch) -> Result<Option<Place>> {
        let counters = counters(&batch.drafts, &ObjectId::new().to_hex());
        let place = self
            .rooms
            .clone_with_type::<Place>()
            .find_one_and_update(
                doc! { "_id": batch.room.as_str() },
                vec![doc! { "$set": counters }],
            )
            .projection(Place::fields())
            .return_document(ReturnDocument::After)
            .await?;
        Ok(place)
    }

    /// Inserts what can be, all at once, and says for each batch which numbers are stored: all but
    /// those of messages that the index of client ids knows already.
    async fn insert(&self, group: &[Numbered]) -> Result<Vec<HashSet<Seq>>> {
        let mut documents = Vec::new();
        let mut numbers = Vec::new();
        for (index, Numbered { attempts, .. }) in group.iter().enumerate() {
            for message in attempts.iter().flatten() {
                documents.push(ChatDocument::of(message)?);
                numbers.push((index, message.seq));
            }
        }
        self.settle(group).await?;
        let under_way = group.iter().filter_map(|Numbered { batch, place, .. }| {
            let first = *place.as_ref()?.numbers(&batch.drafts).start();
            Some(self.decided.insert(&batch.room, first))
        });
        let under_way: Vec<UnderWay> = under_way.collect();
        let mut stored = vec![HashSet::new(); group.len()];
        let doubled = self.insert_in_order(&documents).await?;
        drop(under_way);
        for (nth, (index, seq)) in numbers.into_iter().enumerate() {
            if !doubled.contains(&nth) {
                stored[index].insert(seq);
            }
        }
        for Numbered { batch, place, attempts } in group {
            let Some(place) = place else { continue };
            let numbers = place.numbers(&batch.drafts);
            if attempts.iter().any(Attempt::is_ok) {
                self.decided.up_to(&batch.room, *numbers.end());
            } else {
                self.decided.unused(&batch.room, &numbers);
            }
        }
        Ok(stored)
    }

    /// Decides what is undecided before what is about to be stored in each room.
    async fn settle(&self, group: &[Numbered]) -> Result<()> {
        let settled = group.iter().filter_map(|Numbered { batch, place, attempts }| {
            let first = *place.as_ref()?.numbers(&batch.drafts).start();
            let message = attempts.iter().flatten().next()?;
            Some(async move {
                let message = ChatDocument::of(message)?;
                self.decided.settle(&self.chats, &batch.room, first, &message).await
            })
        });
        try_join_all(settled).await.map(|_| ())
    }

    /// Inserts documents one after another, so that whoever reads meanwhile finds none without those before
    /// it; gives which of them were there already.
    async fn insert_in_order(&self, documents: &[ChatDocument]) -> Result<HashSet<usize>> {
        let (mut there, mut next) = (HashSet::new(), 0);
        while next < documents.len() {
            let Err(cause) = self.chats.insert_many(&documents[next..]).ordered(true).await else {
                break;
            };
            let stopped_at = doubled(&cause).and_then(|doubled| doubled.into_iter().min());
            let nth = next + stopped_at.ok_or(cause)?;
            there.insert(nth);
            next = nth + 1;
        }
        Ok(there)
    }
}

/// Takes what may be written together: one batch of each room, the first ones first.
fn next_group(held: &mut VecDeque<Batch>) -> Vec<Batch> {
    let (mut group, mut rooms) = (Vec::new(), HashSet::new());
    let mut messages = 0;
    for batch in std::mem::take(held) {
        if !batch.is_awaited() {
            continue;
        }
        if messages < MAX_MESSAGES && rooms.insert(batch.room.clone()) {
            messages += batch.drafts.len();
            group.push(batch);
        } else {
            held.push_back(batch);
        }
    }
    group
}

impl Numbered {
    /// Without a seat that makes sense, the batch has failed.
    fn of((batch, place): (Batch, Option<Place>)) -> Option<Self> {
        let attempts = place.as_ref().map(|place| place.resolve(&batch.room, &batch.drafts));
        match attempts.transpose() {
            Ok(attempts) => Some(Self { attempts: attempts.unwrap_or_default(), batch, place }),
            Err(cause) => {
                refuse([batch], cause);
                None
            }
        }
    }
}

fn refuse(group: impl IntoIterator<Item = Batch>, cause: Error) {
    let cause: Arc<dyn std::error::Error + Send + Sync> = cause.0.into();
    for batch in group {
        batch.answer.send(Err(Error::new(cause.clone()))).ok(); // They have gone.
    }
}

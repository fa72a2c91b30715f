//! Bot tokens.

use std::collections::HashSet;

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use mongodb::{
    Collection,
    bson::{DateTime, Document, doc},
};
use serde::{Deserialize, Serialize};

use super::{
    MongoStore,
    connection::with_deadline,
    room_document::{date, parsed, timestamp},
    rooms::Named,
};
use crate::{
    domain::{BotLabel, Timestamp, TokenHash, TokenId},
    store::{Result, TokenRow, TokenStore},
};

#[async_trait]
impl TokenStore for MongoStore {
    async fn create_token(&self, token: TokenRow, at_most: usize) -> Result<bool> {
        with_deadline(async {
            let theirs = of(&token.session, token.created_at);
            let there = self.tokens.count_documents(theirs).await?;
            if usize::try_from(there).is_ok_and(|there| there < at_most) {
                self.tokens.insert_one(TokenDocument::from(&token)).await?;
                return Ok(true);
            }
            Ok(false)
        })
        .await
    }

    async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<TokenRow>> {
        with_deadline(async {
            let alive = doc! { "hash": hash.as_str(), "expiresAt": { "$gt": date(now) } };
            self.tokens.find_one(alive).await?.map(TokenDocument::row).transpose()
        })
        .await
    }

    async fn tokens(&self, session: &str, now: Timestamp) -> Result<Vec<TokenRow>> {
        with_deadline(async {
            let found =
                self.tokens.find(of(session, now)).sort(doc! { "createdAt": 1, "_id": 1 }).await?;
            let found: Vec<TokenDocument> = found.try_collect().await?;
            found.into_iter().map(TokenDocument::row).collect()
        })
        .await
    }

    async fn ended_tokens(&self, mut ids: Vec<TokenId>, now: Timestamp) -> Result<Vec<TokenId>> {
        with_deadline(async {
            let asked: Vec<&str> = ids.iter().map(TokenId::as_str).collect();
            let alive = doc! { "_id": { "$in": asked }, "expiresAt": { "$gt": date(now) } };
            let named = self.tokens.clone_with_type::<Named>();
            let found = named.find(alive).projection(doc! { "_id": 1 }).await?;
            let living: HashSet<String> = found.map_ok(|token| token.id).try_collect().await?;
            ids.retain(|id| !living.contains(id.as_str()));
            Ok(ids)
        })
        .await
    }

    async fn delete_tokens(&self, session: &str, only: Option<&TokenId>) -> Result<usize> {
        with_deadline(delete(&self.tokens, session, only)).await
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenDocument {
    #[serde(rename = "_id")]
    id: String,
    hash: String,
    session: String,
    label: String,
    created_at: DateTime,
    expires_at: DateTime,
}

impl From<&TokenRow> for TokenDocument {
    fn from(token: &TokenRow) -> Self {
        Self {
            id: token.id.as_str().to_owned(),
            hash: token.hash.as_str().to_owned(),
            session: token.session.clone(),
            label: token.label.as_str().to_owned(),
            created_at: date(token.created_at),
            expires_at: date(token.expires_at),
        }
    }
}

impl TokenDocument {
    fn row(self) -> Result<TokenRow> {
        Ok(TokenRow {
            id: token_id(&self.id)?,
            hash: TokenHash::new(self.hash),
            session: self.session,
            label: parsed(&self.label, "label", BotLabel::parse(&self.label).ok())?,
            created_at: timestamp(self.created_at),
            expires_at: timestamp(self.expires_at),
        })
    }
}

fn token_id(raw: &str) -> Result<TokenId> {
    parsed(raw, "token id", TokenId::parse(raw).ok())
}

fn of(session: &str, now: Timestamp) -> Document {
    doc! { "session": session, "expiresAt": { "$gt": date(now) } }
}

pub(super) async fn delete(
    tokens: &Collection<TokenDocument>,
    session: &str,
    only: Option<&TokenId>,
) -> Result<usize> {
    let mut which = doc! { "session": session };
    if let Some(id) = only {
        which.insert("_id", id.as_str());
    }
    let deleted = tokens.delete_many(which).await?.deleted_count;
    Ok(usize::try_from(deleted).unwrap_or(usize::MAX))
}

/// The TTL index also does this once a minute; an explicit call takes effect at once.
pub(super) async fn delete_expired(
    tokens: &Collection<TokenDocument>,
    now: Timestamp,
) -> Result<()> {
    tokens.delete_many(doc! { "expiresAt": { "$lte": date(now) } }).await?;
    Ok(())
}

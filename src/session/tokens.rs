//! Bot tokens and bot identities.
//!
//! A token belongs to the session that created it, and ends with it. The bot is a person of its
//! own; room passes of its creator apply to it.

use std::collections::HashSet;

use tower_sessions::session_store;

use super::{PERSON, SessionKey, Sessions, StoredPerson, Visitor, ends_at};
use crate::{
    domain::{BotLabel, Person, PersonId, Timestamp, Token, TokenId},
    store,
};

pub use crate::store::TokenRow;

/// Largest number of tokens of one session; more bots than anybody looks after.
pub const MAX_TOKENS: usize = 10;

/// A bot with a token.
#[derive(Debug, Clone)]
pub struct Bot {
    /// The bot's identity.
    pub person: Person,
    /// The visitor who made its token. What bans them from a room bans it.
    pub maker: PersonId,
    /// The key that its connections are watched by.
    pub key: BotKey,
}

/// Identifies a bot: its token, and the session that created it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct BotKey {
    token: TokenId,
    session: SessionKey,
}

impl BotKey {
    /// Whether this session created the bot's token.
    #[must_use]
    pub fn is_of(&self, session: &SessionKey) -> bool {
        self.session == *session
    }

    /// The key of the session that created the bot's token.
    pub(super) fn session(&self) -> &str {
        &self.session.0
    }
}

/// A newly created token.
#[derive(Debug)]
pub struct MadeToken {
    /// The secret, which is shown only once.
    pub token: Token,
    /// Its stored record.
    pub kept: TokenRow,
}

impl Visitor {
    pub(super) fn key(&self) -> Result<SessionKey, super::Error> {
        SessionKey::of(&self.session).ok_or_else(|| {
            let missing = session_store::Error::Backend("the session has no id".to_owned());
            super::Error(missing.into())
        })
    }
}

impl Sessions {
    /// Creates a token for a bot, valid for `days` days; `None` if the visitor has [`MAX_TOKENS`].
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn make_token(
        &self,
        maker: &Visitor,
        label: BotLabel,
        days: u16,
    ) -> Result<Option<MadeToken>, super::Error> {
        let SessionKey(session) = maker.key()?;
        let (token, now) = (Token::random(), Timestamp::now());
        let kept = TokenRow {
            id: TokenId::random(),
            hash: token.hash(),
            session: session.to_string(),
            label,
            created_at: now,
            expires_at: now.after_days(days),
        };
        let made = self.store.create_token(kept.clone(), MAX_TOKENS).await?;
        Ok(made.then_some(MadeToken { token, kept }))
    }

    /// The tokens of this visitor's bots.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn tokens(&self, maker: &Visitor) -> Result<Vec<TokenRow>, super::Error> {
        let SessionKey(session) = maker.key()?;
        Ok(self.store.tokens(&session, Timestamp::now()).await?)
    }

    /// Revokes one token of a visitor, or all of them; returns whether there was any.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn revoke(
        &self,
        maker: &Visitor,
        only: Option<&TokenId>,
    ) -> Result<bool, super::Error> {
        let session = maker.key()?;
        let revoked = self.store.delete_tokens(&session.0, only).await? > 0;
        self.ends.announce(session);
        Ok(revoked)
    }

    /// The bot of a token, while the token and its session are alive. Using the token keeps the
    /// session alive.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn bot(&self, raw: &str) -> Result<Option<Bot>, store::Error> {
        let Ok(token) = Token::parse(raw) else { return Ok(None) };
        let now = Timestamp::now();
        let Some(row) = self.store.token(&token.hash(), now).await? else { return Ok(None) };
        let session = SessionKey(row.session.into());
        let Some(made) = self.store.session(&session.0, now).await? else { return Ok(None) };
        let maker = made.data.get(PERSON).cloned().unwrap_or_default();
        let maker = serde_json::from_value::<StoredPerson>(maker).ok();
        let Some(maker) = maker.as_ref().and_then(StoredPerson::person) else { return Ok(None) };
        let person = Person::of_token(&self.secret, &row.id);
        let bot = Bot { person, maker: maker.id, key: BotKey { token: row.id, session } };
        self.keep_alive(&bot.key).await?;
        Ok(Some(bot))
    }

    /// Keeps the session of an active bot alive.
    ///
    /// # Errors
    /// When the store is in trouble.
    pub async fn keep_alive(&self, bot: &BotKey) -> Result<(), store::Error> {
        let SessionKey(session) = &bot.session;
        self.store.prolong_session(session, ends_at()).await?;
        self.kept.forget(session);
        Ok(())
    }

    /// The bots whose tokens or sessions have ended, on any node.
    ///
    /// # Errors
    /// When the store is in trouble: then nothing is known of any.
    pub async fn ended_bots(&self, mut bots: Vec<BotKey>) -> Result<Vec<BotKey>, store::Error> {
        let tokens = bots.iter().map(|bot| bot.token.clone()).collect();
        let tokens = self.store.ended_tokens(tokens, Timestamp::now()).await?;
        let sessions: HashSet<SessionKey> = bots.iter().map(|bot| bot.session.clone()).collect();
        let sessions = self.ended(&Vec::from_iter(sessions)).await?;
        bots.retain(|bot| tokens.contains(&bot.token) || sessions.contains(&bot.session));
        Ok(bots)
    }
}

//! The page of a visitor's tokens.

use askama::Template;
use askama_web::WebTemplate;

use super::Frame;
use crate::{
    domain::Timestamp,
    session::{MadeToken, TokenRow},
};

/// The tokens of a visitor's bots, and the form for a new one.
#[derive(Debug, Template, WebTemplate)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// The data that every page needs.
    pub frame: Frame,
    /// The visitor's tokens, in order of creation.
    pub tokens: Vec<TokenRow>,
    /// The new token; the page shows its secret only this once.
    pub made: Option<MadeToken>,
    /// The name of the new bot, as typed.
    pub name: String,
    /// Error code of the name.
    pub field: Option<&'static str>,
    /// Code of an error that does not concern the name.
    pub problem: Option<&'static str>,
}

impl TokensPage {
    /// The address at which bots connect.
    fn address(&self) -> String {
        // `http` becomes `ws`, and `https` becomes `wss`.
        format!("{}/gateway", self.frame.base.replacen("http", "ws", 1))
    }

    fn field_problem(&self) -> String {
        self.field.map(|code| self.frame.texts.error(code)).unwrap_or_default()
    }

    fn made_heading(&self, made: &MadeToken) -> String {
        self.frame.texts.with("token-made", &[("name", made.kept.label.as_str().into())])
    }

    fn revoke_label(&self, token: &TokenRow) -> String {
        self.frame.texts.with("token-revoke-which", &[("name", token.label.as_str().into())])
    }

    /// The date as `2026-01-01`; scripts replace it with the reader's format.
    #[expect(clippy::unused_self, reason = "templates call methods of their page")]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn day(&self, at: &Timestamp) -> String {
        at.to_string().get(..10).unwrap_or_default().to_owned()
    }
}

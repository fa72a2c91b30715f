//! The page of a visitor's bots.

use askama::Template;
use askama_web::WebTemplate;

use super::Frame;
use crate::{
    domain::Timestamp,
    session::{MadeToken, TokenRow},
};

/// The tokens of a visitor's bots, and the form for another.
#[derive(Debug, Template, WebTemplate)]
#[template(path = "tokens.html")]
pub struct TokensPage {
    /// What every page needs.
    pub frame: Frame,
    /// The tokens that there are, in the order in which they were made.
    pub tokens: Vec<TokenRow>,
    /// The one that was just made, which is shown this once.
    pub made: Option<MadeToken>,
    /// What the next bot is called, as it was typed.
    pub name: String,
    /// The code of what is wrong with that.
    pub field: Option<&'static str>,
    /// The code of what went wrong with the whole.
    pub problem: Option<&'static str>,
}

impl TokensPage {
    /// Where bots connect.
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

    /// `2026-01-01`, until a script knows the reader's habit.
    #[expect(clippy::unused_self, reason = "templates call methods of their page")]
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn day(&self, at: &Timestamp) -> String {
        at.to_string().get(..10).unwrap_or_default().to_owned()
    }
}

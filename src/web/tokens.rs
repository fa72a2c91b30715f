//! Routes that create, list and revoke tokens of bots.

use axum::{
    Json,
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Web,
    body::Fields,
    errors::Refused,
    extract::{Me, Path, Reader},
    pages::TokensPage,
};
use crate::{
    chat::Error,
    domain::{BotLabel, TokenId},
    session::{MadeToken, TokenRow},
};

/// A token in the list, without its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Token")]
pub(super) struct Kept {
    /// The token's id.
    id: String,
    /// The name of the bot.
    name: String,
    /// Time of its creation.
    created_at: String,
    /// Time of its end.
    expires_at: String,
}

impl From<&TokenRow> for Kept {
    fn from(token: &TokenRow) -> Self {
        Self {
            id: token.id.to_string(),
            name: token.label.as_str().to_owned(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
        }
    }
}

/// A new token with its secret.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "NewToken")]
pub(super) struct Made {
    /// The secret, shown this once.
    token: String,
    #[serde(flatten)]
    kept: Kept,
}

/// All tokens of a session.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Tokens")]
pub(super) struct List {
    /// The tokens, in order of creation.
    tokens: Vec<Kept>,
}

/// The form for a new token.
#[derive(Debug, Default, Deserialize, JsonSchema)]
pub(super) struct TokenForm {
    /// The name of the bot: at most 30 characters.
    #[serde(default)]
    name: String,
}

/// `GET /token`
pub(super) async fn show(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
) -> Result<Response, Refused> {
    let tokens = web.sessions.tokens(&me.visitor).await?;
    if reader.wants_json {
        let tokens = tokens.iter().map(Kept::from).collect();
        return Ok(no_store(Json(List { tokens }).into_response()));
    }
    Ok(no_store(page(&web, &me, reader, tokens).into_response()))
}

/// `POST /token`
pub(super) async fn make(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    Fields(TokenForm { name }): Fields<TokenForm>,
) -> Result<Response, Refused> {
    let made = match try_to_make(&web, &me, &name).await {
        Ok(made) => made,
        Err(Refused(error)) => return form_with_errors(&web, &me, reader, name, error).await,
    };
    if reader.wants_json {
        let token = made.token.reveal().to_owned();
        let body = Json(Made { token, kept: Kept::from(&made.kept) });
        return Ok(no_store((StatusCode::CREATED, body).into_response()));
    }
    let tokens = web.sessions.tokens(&me.visitor).await?;
    let page = TokensPage { made: Some(made), ..page(&web, &me, reader, tokens) };
    Ok(no_store((StatusCode::CREATED, page).into_response()))
}

async fn try_to_make(web: &Web, me: &Me, name: &str) -> Result<MadeToken, Refused> {
    let label = BotLabel::parse(name).map_err(|_| Error::field("name", "name_too_long"))?;
    web.chat.may_make_token(me.requester())?;
    let made = web.sessions.make_token(&me.visitor, label, web.token_days).await?;
    Ok(made.ok_or(Error::TooManyTokens)?)
}

/// The page with the visitor's input and the error.
async fn form_with_errors(
    web: &Web,
    me: &Me,
    reader: Reader,
    name: String,
    error: Error,
) -> Result<Response, Refused> {
    let on_page =
        matches!(error, Error::Invalid(_) | Error::SlowDown { .. } | Error::TooManyTokens);
    if reader.wants_json || !on_page {
        return Err(error.into());
    }
    let field = match &error {
        Error::Invalid(fields) => fields.first().map(|wrong| wrong.code),
        _ => None,
    };
    let problem = field.is_none().then_some(error.code());
    let tokens = web.sessions.tokens(&me.visitor).await?;
    let page = TokensPage { name, field, problem, ..page(web, me, reader, tokens) };
    Ok(no_store(Refused(error).around(page)))
}

/// `DELETE /token/{id}`; from a page, `POST /token/{id}/revoke`. A token that does not exist counts
/// as revoked.
pub(super) async fn revoke(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    method: Method,
    Path(id): Path<String>,
) -> Result<Response, Refused> {
    if let Ok(id) = TokenId::parse(&id) {
        web.sessions.revoke(&me.visitor, Some(&id)).await?;
    }
    Ok(revoked(reader, &method))
}

/// `DELETE /token`; from a page, `POST /token/revoke`.
pub(super) async fn revoke_all(
    State(web): State<Web>,
    me: Me,
    reader: Reader,
    method: Method,
) -> Result<Response, Refused> {
    web.sessions.revoke(&me.visitor, None).await?;
    Ok(revoked(reader, &method))
}

/// The response to a revocation: a redirect for forms, which cannot send DELETE.
fn revoked(reader: Reader, method: &Method) -> Response {
    if reader.wants_json || method == Method::DELETE {
        StatusCode::NO_CONTENT.into_response()
    } else {
        Redirect::to("/token").into_response()
    }
}

fn page(web: &Web, me: &Me, reader: Reader, tokens: Vec<TokenRow>) -> TokensPage {
    TokensPage {
        frame: web.frame(reader, &me.visitor),
        tokens,
        made: None,
        name: String::new(),
        field: None,
        problem: None,
    }
}

/// Forbids caching, because the response shows a secret or a visitor's tokens.
fn no_store(mut response: Response) -> Response {
    let value = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    response
}

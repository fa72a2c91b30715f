//! Anonymous, short-lived chat rooms where you are a colour.
//!
//! Read in this order: [`config`] holds the operator's settings, [`domain`] the types and rules,
//! [`chat`] the use cases, [`store`] and [`media`] the persistence, [`bus`] the events,
//! [`session`] the identity of visitors, and [`web`], [`socketio`] and [`gateway`] the protocols,
//! over [`net`]. [`App`] connects the parts.

pub mod config;
pub mod domain;

pub mod chat;

pub mod bus;
pub mod media;
pub mod store;

pub mod gateway;
pub mod net;
pub mod protocol;
pub mod session;
pub mod socketio;
pub mod web;

mod app;
mod data_dir;
mod keyed_limit;
mod system;

pub use app::{App, Error, choose_tls};

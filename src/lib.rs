//! Anonymous, short-lived chat rooms where you are a colour.
//!
//! Read in this order: [`config`] is what the operator decides, [`domain`] what a room and a
//! message are, [`chat`] what people may do, [`store`] and [`media`] where it is kept, [`bus`] how
//! everybody hears of it, [`session`] who somebody is, and [`web`], [`sockets`] and [`gateway`]
//! how the outside world reaches it, over [`connection`]s. [`App`] puts the pieces together.

pub mod config;
pub mod domain;

pub mod chat;

pub mod bus;
pub mod media;
pub mod store;

pub mod connection;
pub mod gateway;
pub mod session;
pub mod sockets;
pub mod web;

mod app;
mod counts;

pub use app::{App, Error, choose_tls};

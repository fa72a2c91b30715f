//! What a client of the server sees, from outside: HTTP and sockets, on both stores.

#[path = "../common/mod.rs"]
mod common;

mod entering;
mod leaving;
mod rooms;
mod talking;

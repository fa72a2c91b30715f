//! What a client of the server sees, from outside: HTTP and sockets, on both stores.

#![cfg(test)]

#[path = "../common/mod.rs"]
mod common;

mod bounds;
mod bounds_of_history;
mod bounds_of_uploads;
mod cookies;
mod crashing;
mod draining;
mod ended_sessions;
mod entering;
mod erasure;
mod floods;
mod forms;
mod gateway;
mod gifs;
mod guarding;
mod headers;
mod kicking;
mod large_rooms;
mod leaving;
mod membership;
mod nowhere;
mod other_store;
mod owning;
mod parity;
mod polling;
mod process;
mod rates;
mod reading;
mod reporting;
mod rooms;
mod secrets;
mod sessions;
mod silent_node;
mod store_trouble;
mod talking;

//! The gateway for bots, from outside.

mod frames;
mod identifying;
mod rooms;
mod talking;
mod tokens;
mod whispering;

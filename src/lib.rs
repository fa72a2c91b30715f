//! Anonymous, short-lived chat rooms where you are a colour.
//!
//! Read in this order: [`domain`] is what a room and a message are, [`store`] where they are kept, and
//! [`media`] where the GIFs are.

pub mod domain;
pub mod store;

pub mod media;

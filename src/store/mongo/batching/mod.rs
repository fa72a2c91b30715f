//! Batching of many callers' work into one command: appends, entries and reads.

pub(in crate::store::mongo) mod append;
pub(in crate::store::mongo) mod entry;
pub(in crate::store::mongo) mod loader;

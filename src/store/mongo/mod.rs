//! Rooms as MongoDB documents.

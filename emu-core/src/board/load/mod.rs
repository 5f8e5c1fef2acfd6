//! Loading images.

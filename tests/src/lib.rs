//! Tests of what crosses crates. They are in `tests/`; this library is empty.

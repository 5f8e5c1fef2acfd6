//! The only clock and scheduler: harts in round-robin, events, state hash.

//! Bit-exact floating point.

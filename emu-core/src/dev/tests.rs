//! Behaviour of every device.

//! Loaders against good and bad files.

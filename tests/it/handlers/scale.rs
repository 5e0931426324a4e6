//! Ten thousand releases.

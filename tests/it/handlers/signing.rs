//! The signing window.

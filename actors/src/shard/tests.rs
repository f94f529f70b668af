//! Shards against a naive reading of the same events, and against themselves by other routes.

mod naive;
mod support;
mod values;

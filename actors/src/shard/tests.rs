//! Shards against a naive reading of the same events, and against themselves by other routes.

mod activation;
mod canonical;
mod examples;
mod ids;
mod inspect;
mod memory;
mod naive;
mod sessions;
mod some;
mod support;
mod walks;
mod values;

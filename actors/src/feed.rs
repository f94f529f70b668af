//! Protocol A: subscriptions, generations, frames. Knows no transport and no placement.

//! A no in the form that Feast's clients read: a JSON string that holds a JSON object with module, class and message,
//! from which they raise Feast's own exception. Knows no route.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::wanted::Unknown;
use crate::grid::ReadError;

/// A request that gets no features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    /// An exception of `feast.errors`.
    pub(super) class: &'static str,
    pub(super) message: String,
}

impl Refusal {
    /// Without a class of its own in Feast.
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, class: "FeastError", message: message.into() }
    }

    /// The request is wrong: 400, and not Feast's 500, which makes its clients try again three times.
    pub(super) fn wrong(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// The body of the reply.
    pub(super) fn detail(&self) -> String {
        let detail = json!({ "module": "feast.errors", "class": self.class, "message": self.message });
        json!(detail.to_string()).to_string()
    }
}

impl From<Unknown> for Refusal {
    fn from(unknown: Unknown) -> Self {
        let class = match unknown {
            Unknown::View { .. } => "FeatureViewNotFoundException",
            Unknown::Service { .. } => "FeatureServiceNotFoundException",
            // Feast has no class for it; this is what its other not-found exceptions are.
            Unknown::Feature { .. } => "FeastObjectNotFoundException",
        };
        Self { status: StatusCode::NOT_FOUND, class, message: unknown.to_string() }
    }
}

impl From<ReadError> for Refusal {
    /// All of them may be repeated, which Feast's clients do after a 503.
    fn from(error: ReadError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status, super::http::JSON, self.detail()).into_response()
    }
}

#[cfg(test)]
mod tests {
    //! What a client finds in the body.
    use super::*;

    #[test]
    fn a_detail_is_a_json_string_that_holds_an_object() {
        let unknown = Unknown::View { name: "spent".to_owned(), known: "spend".to_owned() };
        let refusal = Refusal::from(unknown);
        assert_eq!(refusal.status, StatusCode::NOT_FOUND);
        let outer: String = serde_json::from_str(&refusal.detail()).unwrap();
        let inner: serde_json::Value = serde_json::from_str(&outer).unwrap();
        let want = "no feature view `spent`; there are: spend";
        assert_eq!(
            inner,
            json!({ "module": "feast.errors", "class": "FeatureViewNotFoundException", "message": want })
        );
    }
}

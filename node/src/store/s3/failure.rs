//! What went wrong with a call, in the port's terms: what a conditional write may have done, whether trying again can
//! help. Sends nothing.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use featuregrid_actors::ports::{PutCondition, PutOutcome};
use thiserror::Error;

/// A call that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{}{message}", .status.map(|status| format!("{status} ")).unwrap_or_default(), if .code.is_empty() { String::new() } else { format!("{}: ", .code) })]
pub(in crate::store) struct Failure {
    /// Whether it may have reached the server.
    pub(super) was_sent: bool,
    /// What the server answered, if it did.
    pub(super) status: Option<u16>,
    /// The server's word for it, for example `NoSuchKey`; may be empty.
    pub(super) code: String,
    /// For people.
    pub(super) message: String,
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let was_sent = !matches!(error, SdkError::ConstructionFailure(_));
        let status = error.raw_response().map(|raw| raw.status().as_u16());
        let code = error.code().unwrap_or_default().to_owned();
        let message = error.message().map_or_else(|| causes(&error), str::to_owned);
        Self { was_sent, status, code, message }
    }
}

/// An error and its causes in one line: the SDK's own words for most are only "dispatch failure".
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words = format!("{words}: {more}");
        }
        cause = error.source();
    }
    words
}

impl Failure {
    /// No answer came, or one that says nothing: for example a body that ended early.
    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self { was_sent: true, status: None, code: String::new(), message: message.into() }
    }

    /// Trying again cannot help.
    pub(super) fn lasting(message: impl Into<String>) -> Self {
        Self { was_sent: true, status: Some(200), code: "TooLarge".to_owned(), message: message.into() }
    }

    /// Whether the same call may succeed a moment later.
    pub(in crate::store) fn is_passing(&self) -> bool {
        let known = ["RequestTimeout", "SlowDown", "ServiceUnavailable", "InternalError", "OperationAborted"];
        known.contains(&self.code.as_str()) || self.code.starts_with("Throttl") || self.is_busy()
    }

    fn is_busy(&self) -> bool {
        // 501 is a server that will never know what was asked.
        self.status.is_none_or(|status| matches!(status, 408 | 429) || status >= 500 && status != 501)
    }

    /// Whether the server says that there is no such object; a missing bucket is another matter.
    pub(super) fn is_absent(&self) -> bool {
        self.status == Some(404) && !matches!(self.code.as_str(), "NoSuchBucket" | "NoSuchUpload")
    }

    /// Whether the object has none of the bytes asked for.
    pub(super) fn is_beyond_the_end(&self) -> bool {
        self.status == Some(416) || self.code == "InvalidRange"
    }

    /// What a conditional write became that was answered like this. The completion of an upload may fail under status 200, by
    /// its code alone.
    pub(super) fn of_write(&self, condition: &PutCondition) -> PutOutcome {
        match (self.status, self.code.as_str()) {
            _ if !self.was_sent => PutOutcome::Retry,
            (Some(412), _) | (Some(200..300), "PreconditionFailed") => PutOutcome::Lost,
            // A version was asked for, and there is none at all.
            (Some(404), _) if self.is_absent() && matches!(condition, PutCondition::Matches(_)) => PutOutcome::Lost,
            (Some(409), _) | (Some(200..300), "ConditionalRequestConflict") => PutOutcome::Retry,
            _ => PutOutcome::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    //! The four outcomes stay apart.
    use featuregrid_actors::ports::Etag;

    use super::*;

    fn failure(status: u16, code: &str) -> Failure {
        Failure { was_sent: true, status: Some(status), code: code.to_owned(), message: String::new() }
    }

    #[test]
    fn a_write_is_lost_only_where_the_server_says_so() {
        let matches = PutCondition::Matches(Etag("a".to_owned()));
        let cases = [
            (failure(412, "PreconditionFailed"), PutOutcome::Lost, PutOutcome::Lost),
            (failure(200, "PreconditionFailed"), PutOutcome::Lost, PutOutcome::Lost),
            (failure(404, "NoSuchKey"), PutOutcome::Unknown, PutOutcome::Lost),
            (failure(404, "NoSuchBucket"), PutOutcome::Unknown, PutOutcome::Unknown),
            (failure(404, "NoSuchUpload"), PutOutcome::Unknown, PutOutcome::Unknown),
            (failure(409, "ConditionalRequestConflict"), PutOutcome::Retry, PutOutcome::Retry),
            (failure(200, "InternalError"), PutOutcome::Unknown, PutOutcome::Unknown),
            (failure(500, "InternalError"), PutOutcome::Unknown, PutOutcome::Unknown),
            (failure(503, "SlowDown"), PutOutcome::Unknown, PutOutcome::Unknown),
            (failure(403, "AccessDenied"), PutOutcome::Unknown, PutOutcome::Unknown),
            (Failure::passing("broken pipe"), PutOutcome::Unknown, PutOutcome::Unknown),
            (Failure { was_sent: false, ..Failure::passing("no clock") }, PutOutcome::Retry, PutOutcome::Retry),
        ];
        for (failure, absent, over) in cases {
            assert_eq!(failure.of_write(&PutCondition::Absent), absent, "{failure}");
            assert_eq!(failure.of_write(&matches), over, "{failure}");
        }
    }

    #[test]
    fn what_people_must_mend_is_not_tried_again() {
        assert!(
            [failure(500, ""), failure(503, "SlowDown"), failure(429, ""), Failure::passing("x")]
                .iter()
                .all(Failure::is_passing)
        );
        assert!(
            ![
                failure(403, "AccessDenied"),
                failure(404, "NoSuchBucket"),
                failure(501, "NotImplemented"),
                Failure::lasting("x")
            ]
            .iter()
            .any(Failure::is_passing)
        );
    }
}

//! What every call of the SDK passes on its way: requests are counted as a bill counts them, and a listing learns the
//! server's clock. Changes nothing.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::{DateTime, DateTimeFormat};

use crate::store::meter::{Billed, Meter};

/// Counts every request that is sent, tries that failed included: they are paid for too.
#[derive(Debug)]
pub(super) struct Counts(pub(super) Arc<Meter>);

impl Intercept for Counts {
    fn name(&self) -> &'static str {
        "Counts"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request();
        self.0.sent(billed(request.method(), request.uri()));
        Ok(())
    }
}

/// As which kind of request a bill has it.
fn billed(method: &str, uri: &str) -> Billed {
    match method {
        "DELETE" => Billed::Free,
        "GET" if uri.contains("list-type=") => Billed::Write,
        "GET" | "HEAD" => Billed::Read,
        _ => Billed::Write,
    }
}

/// Notes what time it was for the server when it answered.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerTime(Arc<Mutex<Option<DateTime>>>);

impl ServerTime {
    /// When it answered, should it have said so.
    pub(super) fn taken(&self) -> Option<DateTime> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for ServerTime {
    fn name(&self) -> &'static str {
        "ServerTime"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let date = context.response().headers().get("date");
        let date = date.and_then(|text| DateTime::from_str(text, DateTimeFormat::HttpDate).ok());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = date;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    //! A listing is paid for like a write.
    use super::*;

    #[test]
    fn requests_are_billed_as_s3_does() {
        for (method, uri, want) in [
            ("GET", "https://b.s3.amazonaws.com/part/7?x-id=GetObject", Billed::Read),
            ("HEAD", "https://b.s3.amazonaws.com/part/7", Billed::Read),
            ("GET", "https://b.s3.amazonaws.com/?list-type=2&prefix=part%2F", Billed::Write),
            ("PUT", "https://b.s3.amazonaws.com/part/7", Billed::Write),
            ("POST", "https://b.s3.amazonaws.com/part/7?uploads", Billed::Write),
            ("DELETE", "https://b.s3.amazonaws.com/part/7", Billed::Free),
        ] {
            assert_eq!(billed(method, uri), want, "{method} {uri}");
        }
    }
}

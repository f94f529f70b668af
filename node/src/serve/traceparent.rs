//! Who called, as W3C Trace Context says it: the header `traceparent` becomes two fields of the call's span. Knows no
//! exporter: whoever collects the lines joins them by these fields.

use tracing::Span;

/// The name of the header.
pub(super) const HEADER: &str = "traceparent";

/// `00-TRACE_ID-PARENT_ID-FLAGS`, in lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Traceparent<'h> {
    trace_id: &'h str,
    parent_id: &'h str,
}

/// Fills the span's fields `trace_id` and `parent_id`, which it declares empty. What is malformed says nothing.
pub(super) fn note(span: &Span, header: Option<&[u8]>) {
    if let Some(Traceparent { trace_id, parent_id }) = header.and_then(parse) {
        span.record("trace_id", trace_id).record("parent_id", parent_id);
    }
}

fn parse(header: &[u8]) -> Option<Traceparent<'_>> {
    let mut parts = std::str::from_utf8(header).ok()?.split('-');
    let mut part = |digits: usize| {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        parts.next().filter(|part| part.len() == digits && part.bytes().all(is_digit))
    };
    let (version, trace_id, parent_id, _flags) = (part(2)?, part(32)?, part(16)?, part(2)?);
    // A later version may say more after these; the first one may not, and `ff` is none.
    let is_whole = match version {
        "ff" => false,
        "00" => parts.next().is_none(),
        _ => true,
    };
    let is_some = |id: &str| id.bytes().any(|byte| byte != b'0');
    (is_whole && is_some(trace_id) && is_some(parent_id)).then_some(Traceparent { trace_id, parent_id })
}

#[cfg(test)]
mod tests {
    //! The specification's own example is taken, and what it calls invalid is not.
    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
    const PARENT: &str = "b7ad6b7169203331";

    #[test]
    fn well_formed_headers_are_taken() {
        let taken = Some(Traceparent { trace_id: TRACE, parent_id: PARENT });
        assert_eq!(parse(format!("00-{TRACE}-{PARENT}-01").as_bytes()), taken);
        assert_eq!(parse(format!("00-{TRACE}-{PARENT}-00").as_bytes()), taken);
        assert_eq!(parse(format!("cc-{TRACE}-{PARENT}-01-what-comes").as_bytes()), taken);
    }

    #[test]
    fn malformed_headers_are_none() {
        let (no_trace, no_parent) = ("0".repeat(32), "0".repeat(16));
        for header in [
            String::new(),
            format!("ff-{TRACE}-{PARENT}-01"),
            format!("00-{TRACE}-{PARENT}-01-more"),
            format!("00-{TRACE}-{PARENT}"),
            format!("00-{TRACE}-{PARENT}-1"),
            format!("00-{no_trace}-{PARENT}-01"),
            format!("00-{TRACE}-{no_parent}-01"),
            format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
            format!("00-{}-{PARENT}-01", &TRACE[1..]),
            format!("0g-{TRACE}-{PARENT}-01"),
        ] {
            assert_eq!(parse(header.as_bytes()), None, "{header}");
        }
        assert_eq!(parse(b"\xff\xfe"), None);
    }
}

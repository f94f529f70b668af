//! Reads, listings and removals, one try each. Knows no deadline of its own.

use std::ops::Range;

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::primitives::DateTime;
use featuregrid_actors::ports::{DeleteOutcome, Etag, GetOutcome, Key, ListOutcome, Listed, Object, Prefix};
use featuregrid_protocol::limits::{OBJECT_BYTES_MAX, PART_BYTES_MAX};
use featuregrid_protocol::time::Span;
use tokio::time::Instant;

use super::wire::ServerTime;
use super::{Failure, S3Store, retry};

/// Names a page has at most: the most that S3 gives.
const PAGE: i32 = 1000;

/// An etag without the quotes that only some servers write.
pub(super) fn etag(text: Option<&str>) -> Result<Etag, Failure> {
    match text {
        Some(text) if !text.is_empty() => Ok(Etag(text.trim_matches('"').to_owned())),
        _ => Err(Failure::passing("the server named no etag")),
    }
}

impl S3Store {
    /// An object, or some of its bytes.
    pub(super) async fn get(&self, key: &Key, bytes: Option<&Range<u64>>) -> Result<GetOutcome, Failure> {
        if bytes.is_some_and(Range::is_empty) {
            return self.none_of(key).await;
        }
        let range = bytes.map(|bytes| format!("bytes={}-{}", bytes.start, bytes.end - 1));
        let asked = self.client.get_object().bucket(&self.bucket).key(self.name(key)).set_range(range);
        match asked.send().await.map_err(Failure::from) {
            Ok(output) => Ok(GetOutcome::Found(collected(key, bytes, output).await?)),
            Err(failure) if failure.is_beyond_the_end() => self.none_of(key).await,
            Err(failure) if failure.is_absent() => Ok(GetOutcome::Absent),
            Err(failure) => Err(failure),
        }
    }

    /// No byte of an object, but its version.
    async fn none_of(&self, key: &Key) -> Result<GetOutcome, Failure> {
        let asked = self.client.head_object().bucket(&self.bucket).key(self.name(key));
        match asked.send().await.map_err(Failure::from) {
            Ok(output) => {
                let etag = etag(output.e_tag())?;
                Ok(GetOutcome::Found(Object { bytes: [].into(), etag }))
            }
            Err(failure) if failure.is_absent() => Ok(GetOutcome::Absent),
            Err(failure) => Err(failure),
        }
    }

    /// All names below a prefix that are the grid's.
    pub(super) async fn list(&self, prefix: Prefix, until: Instant) -> Result<ListOutcome, Failure> {
        let (mut all, mut token): (Vec<Listed>, Option<String>) = (Vec::new(), None);
        let below = prefix.path();
        loop {
            let (page, now) = retry::until(until, || self.page(&below, token.clone(), PAGE)).await?;
            for object in page.contents() {
                let key = object.key().and_then(|name| name.strip_prefix(&self.prefix)).and_then(Key::parse);
                let Some(key) = key else { continue };
                let age = age(now, object.last_modified());
                all.push(Listed { key, bytes: object.size().unwrap_or_default().unsigned_abs(), age });
            }
            token = page.next_continuation_token().map(str::to_owned);
            if token.is_none() || page.is_truncated() != Some(true) {
                break;
            }
        }
        // Servers order by bytes, as we do; some do not.
        all.sort_by_cached_key(|listed| listed.key.path());
        Ok(ListOutcome::Objects(all))
    }

    /// One page of names, and what time it was for the server.
    pub(super) async fn page(
        &self,
        below: &str,
        token: Option<String>,
        names: i32,
    ) -> Result<(ListObjectsV2Output, Option<DateTime>), Failure> {
        let time = ServerTime::default();
        let asked = self.client.list_objects_v2().bucket(&self.bucket).prefix(format!("{}{below}", self.prefix));
        let asked = asked.max_keys(names).set_continuation_token(token);
        let page = asked.customize().interceptor(time.clone()).send().await.map_err(Failure::from)?;
        Ok((page, time.taken()))
    }

    /// Removes an object.
    pub(super) async fn delete(&self, key: &Key) -> Result<DeleteOutcome, Failure> {
        let asked = self.client.delete_object().bucket(&self.bucket).key(self.name(key));
        match asked.send().await.map_err(Failure::from) {
            Ok(_) => Ok(DeleteOutcome::Done),
            Err(failure) if failure.is_absent() => Ok(DeleteOutcome::Done),
            Err(failure) => Err(failure),
        }
    }
}

/// How old an object is by the server's clock; a server that does not say has no old objects.
fn age(now: Option<DateTime>, written: Option<&DateTime>) -> Span {
    let micros = |time: &DateTime| time.as_nanos() / 1000;
    let age = now.as_ref().zip(written).map_or(0, |(now, written)| micros(now) - micros(written));
    Span(age.clamp(0, i128::from(i64::MAX)) as i64)
}

/// The body, whole and not too large.
async fn collected(key: &Key, bytes: Option<&Range<u64>>, output: GetObjectOutput) -> Result<Object, Failure> {
    let most = if let Key::Part(..) = key { PART_BYTES_MAX } else { OBJECT_BYTES_MAX };
    let etag = etag(output.e_tag())?;
    let announced = output.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_none_or(|length| length > most) {
        return Err(Failure::lasting(format!(
            "{key} has {announced:?} bytes: more than {most}, or nobody knows how many"
        )));
    }
    // A server may answer with the whole object, whatever range was asked for.
    let is_whole = output.content_range().is_none();
    let body = output.body.collect().await.map_err(|error| Failure::passing(error.to_string()))?.into_bytes();
    if announced != Some(body.len()) {
        return Err(Failure::passing(format!("{} of {announced:?} bytes arrived", body.len())));
    }
    let body = match bytes {
        Some(range) if is_whole => {
            let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(body.len());
            body.get(within(range.start)..within(range.end)).unwrap_or_default()
        }
        _ => &body[..],
    };
    Ok(Object { bytes: body.into(), etag })
}

#[cfg(test)]
mod tests {
    //! Ages are never negative; etags are bare.
    use super::*;

    #[test]
    fn an_age_is_by_the_servers_clock() {
        let (early, late) = (DateTime::from_millis(1_000), DateTime::from_millis(61_500));
        assert_eq!(age(Some(late), Some(&early)), Span(60_500_000));
        assert_eq!(age(Some(early), Some(&late)), Span(0));
        assert_eq!(age(None, Some(&early)), Span(0));
        assert_eq!(etag(Some("\"abc-2\"")), Ok(Etag("abc-2".to_owned())));
        assert!(etag(None).is_err());
    }
}

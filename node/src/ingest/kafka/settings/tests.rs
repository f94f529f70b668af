//! Names that librdkafka knows are taken; others get a suggestion; our own get a reason; secrets stay secret.
use super::*;

fn error(pairs: &[&str]) -> String {
    KafkaSettings::parse(pairs.iter().copied()).unwrap_err().to_string()
}

#[test]
fn its_own_names_are_taken_for_consumers_and_producers() {
    let given = ["client.id=fraud-grid", "fetch.max.bytes=1048576", "compression.type = zstd", "sasl.password=a=b"];
    let settings = KafkaSettings::parse(given).unwrap();
    let mut config = ClientConfig::new();
    settings.apply(&mut config);
    assert_eq!(config.get("client.id"), Some("fraud-grid"));
    assert_eq!(config.get("compression.type"), Some("zstd"));
    assert_eq!(config.get("sasl.password"), Some("a=b"));
}

#[test]
fn unknown_names_are_refused_with_the_nearest_one() {
    assert_eq!(error(&["sasl.usrname=x"]), "librdkafka has no setting `sasl.usrname`; did you mean `sasl.username`?");
    assert!(error(&["security.protocal=SSL"]).ends_with("did you mean `security.protocol`?"));
    assert!(error(&["sasl.mecanism=PLAIN"]).ends_with("did you mean `sasl.mechanism`?"));
    // A name of the topic's part, and one that is only an alias.
    assert!(error(&["compresion.type=lz4"]).ends_with("did you mean `compression.type`?"));
    assert!(error(&["mesage.timeout.ms=1"]).ends_with("did you mean `message.timeout.ms`?"));
    assert!(error(&["zzz=1"]).contains("CONFIGURATION.md"));
}

#[test]
fn what_featuregrid_depends_on_is_refused_with_the_reason() {
    for (name, why) in OWN {
        let refused = error(&[&format!("{name}=1")]);
        assert_eq!(refused, format!("`{name}` cannot be set: {why}"));
        let known = native::setting_names();
        assert!(known.iter().any(|other| other == name), "{name} is no setting of librdkafka");
    }
}

#[test]
fn a_value_that_librdkafka_refuses_is_told_in_its_words() {
    assert!(error(&["fetch.wait.max.ms=soon"]).contains("fetch.wait.max.ms"));
    assert!(error(&["security.protocol=TELNET"]).contains("security.protocol"));
    assert_eq!(
        error(&["nothing"]),
        "`nothing` is no setting; write NAME=VALUE, for example security.protocol=SASL_SSL"
    );
    assert_eq!(error(&["client.id=a", "client.id=b"]), "`client.id` is given twice; keep one of them");
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_tls_says_so() {
    assert!(error(&["ssl.ca.location=/tmp/ca.pem"]).ends_with("build it with --features tls"));
}

#[test]
fn secrets_are_not_shown() {
    let settings = KafkaSettings::parse(["sasl.username=bob", "sasl.password=bob-secret"]).unwrap();
    assert_eq!(format!("{settings:?}"), r#"{"sasl.password": "(hidden)", "sasl.username": "bob"}"#);
}

//! The reference is whole, true and the default; layers win in their order; every mistake names its place.

use super::catalogue::SETTINGS;
use super::*;

fn resolve(file: Option<&str>, environment: &[(&str, &str)], flags: &[Given]) -> Result<Effective, ConfigError> {
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Effective::resolve(file.map(|text| ("grid.yaml", text)), environment, flags)
}

fn flag(name: &'static str, flag: &'static str, value: &str) -> Given {
    Given { name, flag, value: value.to_owned() }
}

#[test]
fn the_reference_says_what_the_code_does() {
    let config = Config::of(&resolve(None, &[], &[]).unwrap()).unwrap();
    let code = Config {
        definitions: None,
        data: None,
        ranges: crate::cli::RANGES,
        memory_budget: None,
        snapshot_interval: crate::assemble::SNAPSHOT_INTERVAL,
        one_after_the_other: false,
        store: None,
        bucketed: Bucketed::default(),
        prices: Some(Prices::UsEast1),
        listen: crate::cli::ADDRESS.to_owned(),
        feast: Some(Listen { address: "127.0.0.1:6566".to_owned(), is_asked: false }),
        metrics: Some(Listen { address: "127.0.0.1:9464".to_owned(), is_asked: false }),
        brokers: None,
        kafka_settings: KafkaSettings::default(),
        dead_letters: None,
    };
    assert_eq!(config, code);
}

#[test]
fn every_setting_is_documented() {
    let entries = file::parse(REFERENCE).unwrap();
    let names: Vec<&str> = entries.iter().map(|entry| entry.name.as_str()).collect();
    let settings: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
    assert_eq!(names, settings, "the reference has every setting, in the catalogue's order");
    let lines: Vec<&str> = REFERENCE.lines().collect();
    for entry in &entries {
        let above = lines[..entry.line - 1].iter().rev().take_while(|line| line.trim_start().starts_with('#'));
        let mut comment: Vec<&str> = above.map(|line| line.trim_start().trim_start_matches('#')).collect();
        comment.reverse();
        let comment = comment.concat();
        for part in ["Range: ", "Default: ", "Flag: --"] {
            assert!(comment.contains(part), "{}: its comment has no `{part}`: {comment}", entry.name);
        }
        let default = entry.value.as_deref().unwrap_or("not set");
        assert!(comment.contains(&format!("Default: {default}.")), "{}: {comment}", entry.name);
        let is_amount = matches!(
            super::catalogue::Setting::of(&entry.name).map(|it| it.kind),
            Some(values::Kind::PowerOfTwo(_) | values::Kind::Budget)
        );
        assert_eq!(comment.contains("Unit: "), is_amount, "{}: {comment}", entry.name);
    }
}

#[test]
fn flags_win_over_the_environment_over_the_file_over_the_reference() {
    let file = "node:\n  ranges: 32\n  data: /file\nkafka:\n  brokers: file:9092\n";
    let environment =
        [("FEATUREGRID_NODE__RANGES", "64"), ("FEATUREGRID_KAFKA__BROKERS", "env:9092"), ("FEATUREGRID_LOG", "debug")];
    let flags = [flag("kafka.brokers", "--brokers", "flag:9092")];
    let effective = resolve(Some(file), &environment, &flags).unwrap();
    let shown: Vec<(String, Option<&str>, String)> =
        effective.iter().map(|(name, layer)| (name, layer.value.as_deref(), layer.origin.to_string())).collect();
    let of = |name: &str| shown.iter().find(|(own, ..)| own == name).cloned().unwrap();
    assert_eq!(shown.len(), SETTINGS.len());
    assert_eq!(of("serve.listen").2, "default");
    assert_eq!((of("node.data").1, of("node.data").2), (Some("/file"), "grid.yaml:3".to_owned()));
    assert_eq!(
        (of("node.ranges").1, of("node.ranges").2),
        (Some("64"), "environment FEATUREGRID_NODE__RANGES".to_owned())
    );
    assert_eq!((of("kafka.brokers").1, of("kafka.brokers").2), (Some("flag:9092"), "flag --brokers".to_owned()));
}

#[test]
fn an_address_that_is_named_is_asked_for_even_where_it_is_the_default() {
    let file = "serve:\n  feast: 127.0.0.1:6566\n  metrics: off\n";
    let config = Config::of(&resolve(Some(file), &[], &[]).unwrap()).unwrap();
    assert_eq!(config.feast, Some(Listen { address: "127.0.0.1:6566".to_owned(), is_asked: true }));
    assert_eq!(config.metrics, None);
}

#[test]
fn nothing_is_also_a_value() {
    let file = "kafka:\n  brokers: a:1\n  dead_letters: dead\n";
    let unset = resolve(Some(file), &[("FEATUREGRID_KAFKA__DEAD_LETTERS", "")], &[]).unwrap();
    assert_eq!(unset.get("kafka.dead_letters"), None);
    let needed = resolve(Some("node:\n  ranges: ~\n"), &[], &[]).unwrap_err();
    assert!(needed.to_string().contains("grid.yaml:2:3: node.ranges cannot be unset"), "{needed}");
}

#[test]
fn every_mistake_names_its_place_and_a_way_out() {
    let file = "node:\n  rangs: 64\n  ranges: 65\nbrokers: a:1\nserve:\n  listen: 7450\n";
    let environment = [("FEATUREGRID_KAFKA__BROKER", "a:1"), ("FEATUREGRID_NODE__MEMORY_BUDGET", "8GB")];
    let flags = [flag("node.one_partition_after_the_other", "--one-partition-after-the-other", "yes")];
    let wrong = resolve(Some(file), &environment, &flags).unwrap_err();
    let text = wrong.to_string();
    for part in [
        "grid.yaml:2:3: `node.rangs` is no setting; did you mean `node.ranges`?\n  2 |   rangs: 64",
        "grid.yaml:3:3: node.ranges: `65` is no power of two from 1 to 16384\n  3 |   ranges: 65",
        "grid.yaml:4:1: `brokers` is no setting; did you mean `kafka.brokers`?",
        "grid.yaml:6:3: serve.listen: `7450` is no HOST:PORT",
        "environment FEATUREGRID_KAFKA__BROKER: there is no setting `kafka.broker`; did you mean `FEATUREGRID_KAFKA__BROKERS`?",
        "environment FEATUREGRID_NODE__MEMORY_BUDGET: node.memory_budget: `8GB` is no size",
        "flag --one-partition-after-the-other: node.one_partition_after_the_other: `yes` is neither",
    ] {
        assert!(text.contains(part), "{part}\nis missing in\n{text}");
    }
    assert_eq!(wrong.0.len(), 7, "{text}");
}

#[test]
fn a_topic_needs_brokers() {
    let flags = [flag("kafka.dead_letters", "--dead-letters", "dead")];
    let wrong = Config::of(&resolve(None, &[], &flags).unwrap()).unwrap_err();
    assert!(wrong.to_string().starts_with("flag --dead-letters: kafka.dead_letters is of Kafka"), "{wrong}");
}

#[test]
fn settings_of_librdkafka_are_checked_and_their_secrets_hidden() {
    let file = "kafka:\n  brokers: a:1\n  settings: |\n    client.id=grid\n    sasl.password=swordfish\n";
    let effective = resolve(Some(file), &[], &[]).unwrap();
    let shown: Vec<String> = effective.kafka().map(|(name, layer)| format!("{name} {}", layer.shown())).collect();
    assert_eq!(shown, ["client.id grid", "sasl.password (hidden)"]);
    assert!(!format!("{:?}", Config::of(&effective).unwrap()).contains("swordfish"));
    let wrong = resolve(Some(&file.replace("client.id", "client.idd")), &[], &[]).unwrap_err().to_string();
    assert!(
        wrong.starts_with("grid.yaml:3:3: kafka.settings: librdkafka has no setting `client.idd`; did you mean"),
        "{wrong}"
    );
    assert!(!wrong.contains("swordfish"), "{wrong}");
}

#[test]
fn each_setting_of_librdkafka_is_laid_over_by_itself() {
    let file = "kafka:\n  brokers: a:1\n  settings:\n    security.protocol: SASL_PLAINTEXT\n    sasl.username: bob\n    client.id: file\n";
    let environment = [("FEATUREGRID_KAFKA__SETTINGS", "sasl.password=swordfish\nclient.id=environment")];
    let flags = [flag("kafka.settings", "--kafka-setting", "client.id=flag\nfetch.max.bytes=2000000")];
    let effective = resolve(Some(file), &environment, &flags).unwrap();
    let shown: Vec<(String, String)> = effective
        .iter()
        .filter(|(name, _)| name.starts_with("kafka.settings"))
        .map(|(name, layer)| (name, format!("{} from {}", layer.shown(), layer.origin)))
        .collect();
    let wanted = [
        ("client.id", "flag from flag --kafka-setting"),
        ("fetch.max.bytes", "2000000 from flag --kafka-setting"),
        ("sasl.password", "(hidden) from environment FEATUREGRID_KAFKA__SETTINGS"),
        ("sasl.username", "bob from grid.yaml:5"),
        ("security.protocol", "SASL_PLAINTEXT from grid.yaml:4"),
    ];
    assert_eq!(shown, wanted.map(|(name, shown)| (format!("kafka.settings.{name}"), shown.to_owned())));
    let given = KafkaSettings::parse([
        "client.id=flag",
        "fetch.max.bytes=2000000",
        "sasl.password=swordfish",
        "sasl.username=bob",
        "security.protocol=SASL_PLAINTEXT",
    ]);
    assert_eq!(Config::of(&effective).unwrap().kafka_settings, given.unwrap());

    // Nothing is what a template leaves empty; `~` takes one away.
    let empty = resolve(Some(file), &[("FEATUREGRID_KAFKA__SETTINGS", "")], &[]).unwrap();
    assert_eq!(empty.kafka().count(), 3);
    let away = resolve(Some(&file.replace("bob", "~")), &[], &[]).unwrap();
    assert_eq!(away.kafka().count(), 2);
    let none = resolve(None, &[], &[]).unwrap();
    assert!(none.iter().any(|(name, layer)| name == "kafka.settings" && layer.value.is_none()));

    // A mistake names its line, and shows no value.
    let wrong = resolve(Some(&file.replace("sasl.username: bob", "sasl.pasword: bob")), &[], &[]).unwrap_err();
    let wanted =
        "grid.yaml:5:5: kafka.settings: librdkafka has no setting `sasl.pasword`; did you mean `sasl.password`?";
    assert_eq!(wrong.to_string(), wanted);
    let wrong =
        Config::of(&resolve(None, &[("FEATUREGRID_KAFKA__SETTINGS", "client.id=a")], &[]).unwrap()).unwrap_err();
    assert!(
        wrong.to_string().starts_with("environment FEATUREGRID_KAFKA__SETTINGS: kafka.settings is of Kafka"),
        "{wrong}"
    );
}

#[test]
fn a_store_is_a_bucket_or_a_folder() {
    let file = "store:\n  url: s3://grid/prod\n  endpoint: http://127.0.0.1:7070\n  sse: aws:kms\n  kms_key: alias/grid\n  prices: off\n";
    let config =
        Config::of(&resolve(Some(file), &[("FEATUREGRID_STORE__REGION", "eu-central-1")], &[]).unwrap()).unwrap();
    let StoreSettings { place, bucketed, prices } = config.store(Path::new("/data"));
    assert_eq!(place, Place::Bucket { bucket: "grid".to_owned(), prefix: "prod/".to_owned() });
    let want = Bucketed {
        endpoint: Some("http://127.0.0.1:7070".to_owned()),
        region: Some("eu-central-1".to_owned()),
        path_style: None,
        encryption: Encryption::Kms(Some("alias/grid".to_owned())),
    };
    assert_eq!((bucketed, prices), (want, None));
    let usual = Config::of(&resolve(None, &[], &[]).unwrap()).unwrap();
    assert_eq!(usual.store(Path::new("/data")).place, Place::Folder(PathBuf::from("/data/objects")));
    let wrong = resolve(Some("store:\n  url: grid\n"), &[], &[]).unwrap_err().to_string();
    assert!(wrong.starts_with("grid.yaml:2:3: store.url: `grid` names no object store"), "{wrong}");
    let flags = [flag("store.kms_key", "--store-kms-key", "k")];
    let wrong = Config::of(&resolve(None, &[], &flags).unwrap()).unwrap_err().to_string();
    assert!(
        wrong.starts_with("flag --store-kms-key: store.kms_key is for store.sse aws:kms, which is bucket"),
        "{wrong}"
    );
}

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;

fn read(text: &str) -> PostgresUrl {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// What a connection is made with, but for the password.
fn effective(url: &PostgresUrl) -> String {
    let config = &url.config;
    let server = (
        url.servers().collect::<Vec<_>>(),
        config.get_hostaddrs(),
        config.get_user(),
        config.get_dbname(),
    );
    let trust = (
        config.get_ssl_mode(),
        url.verification,
        &url.root_certificates,
        config.get_ssl_negotiation(),
    );
    let session =
        (config.get_options(), config.get_application_name(), config.get_target_session_attrs());
    let waits =
        (config.get_connect_timeout(), config.get_tcp_user_timeout(), config.get_keepalives());
    let probes = (
        config.get_keepalives_idle(),
        config.get_keepalives_interval(),
        config.get_keepalives_retries(),
    );
    let others = (config.get_channel_binding(), config.get_load_balance_hosts());
    format!("{server:?} {trust:?} {session:?} {waits:?} {probes:?} {others:?}")
}

#[test]
fn a_url_displays_what_is_used_without_its_password() {
    for (text, shown) in [
        ("postgres://clerk:s3cret@db:6432/timelog", "postgres://clerk@db:6432/timelog"),
        ("postgresql://clerk:s3cret@db", "postgres://clerk@db:5432/clerk"),
        (
            "postgres://db/timelog?password=s3cret&sslmode=require",
            "postgres://db:5432/timelog?sslmode=require",
        ),
        ("postgres://db/timelog?user=clerk&password=s3cret", "postgres://clerk@db:5432/timelog"),
        ("postgres://a,b:1/x?sslmode=verify-full", "postgres://a:5432,b:1/x?sslmode=verify-full"),
        ("postgres:///?host=a,b&port=1&dbname=x", "postgres://a:1,b:1/x"),
        ("postgres:///x?port=7&host=%2Frun%2Fpg", "postgres://%2Frun%2Fpg:7/x"),
        ("postgres://%2Frun%2Fpg/x", "postgres://%2Frun%2Fpg:5432/x"),
        ("postgres://[::1]:7/x", "postgres://[::1]:7/x"),
        ("postgres://a%40b:s3cret@db/c%2Fd%3Fe", "postgres://a%40b@db:5432/c%2Fd%3Fe"),
        (
            "postgres://db/x?sslmode=verify%2Dfull&sslrootcert=%2Fa%20b.pem",
            "postgres://db:5432/x?sslmode=verify-full&sslrootcert=/a%20b.pem",
        ),
    ] {
        let url = read(text);
        assert_eq!(url.to_string(), shown, "{text}");
        assert_eq!(format!("{url:?}"), format!("PostgresUrl({shown})"), "{text}");
        assert_eq!(effective(&read(shown)), effective(&url), "{text}");
    }
}

#[test]
fn parameters_are_decoded_before_they_are_used() {
    let url = read(
        "postgres://db/x?ssl%6Dode=verify%2Dfull&sslrootcert=%2Fetc%2Fa%26b.pem&keepalives_idl%65=7",
    );
    assert_eq!(url.verification, Verification::Server);
    assert_eq!(url.config.get_ssl_mode(), tokio_postgres::config::SslMode::Require);
    assert_eq!(url.root_certificates, Some(PathBuf::from("/etc/a&b.pem")));
    assert_eq!(url.config.get_keepalives_idle(), Duration::from_secs(7));
    // The text of another parameter is not its name.
    let named = read("postgres://db/x?application_name=keepalives_idle");
    assert_eq!(named.config.get_keepalives_idle(), SILENCE);
    assert_eq!(read("postgres://db/x?password=%73%40").config.get_password(), Some(&b"s@"[..]));
}

#[test]
fn a_url_that_cannot_be_read_says_why_and_not_the_password() {
    for (text, why) in [
        ("postgres:///timelog", "host"),
        ("postgres://:1/timelog", "host"),
        ("postgres://clerk:s3cret@a,/x", "host"),
        ("postgres://clerk:s3cret@db:port/x", "port"),
        ("postgres://clerk:s3cret@db/x?sslmode=verify-ca", "verify-full"),
        ("postgres://clerk:s3cret@db/x?sslrootcert=ca.pem", "verify-full"),
        ("postgres://clerk:s3cret@db/x?sslmode=s3cret", "verify-full"),
        ("postgres://clerk@db/x?s3cret=1", "a parameter is none of application_name, "),
        ("postgres://db/x?password=a&s3cret=1&s3cret=1", "%26"),
        ("postgres://db/x?password=a&%733cret=1", "%26"),
        ("postgres://:s3cret@db/x", "user"),
        ("postgres:///x?host=a,b,c&port=1,2", "2 ports for 3 hosts"),
        ("postgres://a,b/x?hostaddr=127.0.0.1", "1 addresses for 2 hosts"),
        // What stands twice, also in two ways of writing it.
        ("postgres://db/x?sslmode=verify-full&sslmode=disable", "sslmode stands twice"),
        ("postgres://db/x?sslmode=verify-full&ssl%6dode=disable", "sslmode stands twice"),
        ("postgres://db/x?password=s3cret&password=s3cret", "password stands twice"),
        ("postgres://clerk:s3cret@db/x?password=s3cret", "password is a parameter"),
        ("postgres://clerk@db/x?user=other", "user is a parameter"),
        ("postgres://clerk@db/x?%75ser=other", "user is a parameter"),
        ("postgres://db/x?host=other", "host is a parameter"),
        ("postgres://db:1/x?port=2", "port is a parameter"),
        ("postgres://db/x?port=2", "port is a parameter"),
        ("postgres://db/x?dbname=y", "dbname is a parameter"),
        // A password that was not encoded.
        ("postgres://clerk:p@s3cret@db/x", "%40"),
        ("postgres://clerk:p?s3cret@db/x", "%3F"),
        ("postgres://clerk:1?s3cret=1@db/x", "%3F"),
        ("postgres://db/x?password=a&s3cret", "%26"),
        ("postgres://db/x?password=s3cret%ff", "UTF-8"),
    ] {
        let error = text.parse::<PostgresUrl>().unwrap_err();
        assert!(error.contains(why) && !error.contains("s3cret"), "{text}: {error}");
    }
}

#[test]
fn urls_are_equal_that_say_the_same() {
    let one = read("postgres://clerk:a@db/x?sslmode=require&options=o");
    assert_eq!(
        one,
        read("postgresql://db:5432/x?options=%6F&user=clerk&password=a&sslmode=require")
    );
    for other in
        ["postgres://clerk:b@db/x?sslmode=require&options=o", "postgres://clerk:a@db/x?options=o"]
    {
        assert_ne!(one, read(other));
    }
}

/// Percent-encodes some of the bytes that need not be, as chance has it, and all that must be.
fn encoded(text: &str, chance: u64) -> String {
    let mut encoded = String::new();
    for (index, byte) in text.bytes().enumerate() {
        let must = !(byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        if must || chance >> (index % 64) & 1 == 1 {
            encoded.push_str(&percent_encoding::percent_encode_byte(byte).to_lowercase());
        } else {
            encoded.push(char::from(byte));
        }
    }
    encoded
}

/// Parameters that go together, each with a value that the driver takes.
fn settings() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let all = vec![
        (
            "sslmode",
            select(vec!["disable", "prefer", "require", "verify-full"])
                .prop_map(str::to_owned)
                .boxed(),
        ),
        ("application_name", any::<String>().boxed()),
        ("options", any::<String>().boxed()),
        ("connect_timeout", any::<i64>().prop_map(|number| number.to_string()).boxed()),
        ("tcp_user_timeout", any::<i64>().prop_map(|number| number.to_string()).boxed()),
        ("keepalives", any::<bool>().prop_map(|on| u8::from(on).to_string()).boxed()),
        ("keepalives_idle", any::<i64>().prop_map(|number| number.to_string()).boxed()),
        ("keepalives_interval", any::<i64>().prop_map(|number| number.to_string()).boxed()),
        ("keepalives_retries", any::<u32>().prop_map(|number| number.to_string()).boxed()),
        ("target_session_attrs", select(vec!["any", "read-write"]).prop_map(str::to_owned).boxed()),
        ("channel_binding", select(vec!["disable", "prefer"]).prop_map(str::to_owned).boxed()),
        ("load_balance_hosts", select(vec!["disable", "random"]).prop_map(str::to_owned).boxed()),
        ("sslnegotiation", select(vec!["postgres", "direct"]).prop_map(str::to_owned).boxed()),
    ];
    let count = all.len();
    subsequence(all, 0..=count).prop_flat_map(|chosen| {
        let (names, values): (Vec<_>, Vec<_>) = chosen.into_iter().unzip();
        values.prop_map(move |values| names.iter().copied().zip(values).collect())
    })
}

/// A host, and how the address writes it.
fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z0-9.-]{1,12}",
        "/[a-z /@:?,%é]{0,12}",
        any::<Ipv6Addr>().prop_map(|ip| ip.to_string())
    ]
}

proptest! {
    #[test]
    fn what_is_shown_of_any_url_means_the_same_and_tells_no_password(
        user in proptest::option::of("\\PC{1,12}"),
        password in "\\PC{0,12}",
        servers in proptest::collection::vec((host(), proptest::option::of(any::<u16>())), 1..4),
        name in proptest::option::of("\\PC{1,12}"),
        settings in settings(),
        in_parameters in any::<bool>(),
        chance in any::<u64>(),
    ) {
        // One that can only stand for itself.
        let secret = format!("Quetzalcoatl{password}Quetzalcoatl");
        let write = |text: &str| encoded(text, chance);
        let parameters = |more: Vec<(&str, String)>| {
            let pairs = settings.iter().cloned().chain(more);
            let mut pairs: Vec<_> = pairs.map(|(name, value)| format!("{}={}", write(name), write(&value))).collect();
            let turn = usize::try_from(chance % 7).unwrap() % pairs.len().max(1);
            pairs.rotate_left(turn);
            pairs.join("&")
        };
        let named = name.as_deref().map(write).unwrap_or_default();
        let server = |(host, port): &(String, Option<u16>)| match port {
            Some(port) => format!("{}:{port}", write(host)),
            None => write(host),
        };
        let servers_written = servers.iter().map(server).collect::<Vec<_>>().join(",");
        let text = |secret: Option<&str>| match &user {
            Some(user) if !in_parameters => {
                let secret = secret.map(|secret| format!(":{}", write(secret))).unwrap_or_default();
                format!("postgres://{}{secret}@{}/{named}?{}", write(user), servers_written, parameters(Vec::new()))
            }
            _ => {
                let user = user.clone().map(|user| ("user", user));
                let more = user.into_iter().chain(secret.map(|secret| ("password", secret.to_owned())));
                format!("postgres://{}/{named}?{}", servers_written, parameters(more.collect()))
            }
        };

        let url = read(&text(Some(&secret)));
        prop_assert_eq!(url.config.get_password(), Some(secret.as_bytes()));
        prop_assert_eq!(url.config.get_user(), user.as_deref());
        prop_assert_eq!(url.config.get_hosts().len(), servers.len());
        let shown = url.to_string();
        prop_assert!(!shown.contains("Quetzalcoatl") && !format!("{url:?}").contains("Quetzalcoatl"), "{}", shown);
        let again = read(&shown);
        prop_assert_eq!(effective(&again), effective(&url));
        prop_assert_eq!(&again, &read(&text(None)));
        prop_assert_eq!(again.to_string(), shown.as_str());
        prop_assert!(shown.is_ascii() && !shown.contains(char::is_whitespace));

        // A second word on any of it is refused, and not repeated.
        for (name, _) in &settings {
            let twice = format!("{}&{}={secret}", text(Some(&secret)), write(name)).replace("?&", "?");
            let error = twice.parse::<PostgresUrl>().unwrap_err();
            prop_assert!(error.contains(name) || error.contains("%40") || error.contains("%26"), "{}", error);
            prop_assert!(!error.contains("Quetzalcoatl"), "{}", error);
        }
    }

    #[test]
    fn whatever_text_is_read_is_shown_as_what_it_means(text in "postgres://[a-c:@/?,=&%4\\[\\]hostusermdbnap]{0,40}") {
        match text.parse::<PostgresUrl>() {
            Ok(url) => {
                let again = read(&url.to_string());
                prop_assert_eq!(effective(&again), effective(&url));
            }
            Err(error) => prop_assert!(!error.is_empty()),
        }
    }

    #[test]
    fn nothing_repeats_a_password_however_it_is_written(before in "[a-z:@/?,]{0,6}", after in "[a-z:@/?,=&%]{0,20}") {
        // Whatever follows a colon before the last @ may be meant as one.
        let text = format!("postgres://clerk:{before}Quetzalcoatl{after}@db/x");
        let told = text.parse::<PostgresUrl>().map_or_else(|error| error, |url| format!("{url} {url:?}"));
        prop_assert!(!told.contains("Quetzalcoatl"), "{}", told);
    }
}

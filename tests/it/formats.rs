//! One post of each wire format through the real program.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::Row;

use crate::support::database::TestDatabase;
use crate::support::settings::Setup;
use crate::support::topics::TestTopics;

fn feed() -> Vec<u8> {
    b"<rss version=\"2.0\"><channel><link>https://news.example/</link><item><guid>n1</guid><title>VMware &amp; Acme</title>\
      <pubDate>Fri, 01 May 2026 08:00:00 GMT</pubDate></item></channel></rss>"
        .to_vec()
}

fn framed(post: &Value) -> Vec<u8> {
    let mut payload = vec![0, 0, 0, 0, 7];
    payload.extend(post.to_string().into_bytes());
    payload
}

/// A topic of each format.
fn consumed(topics: &TestTopics) -> String {
    format!(
        r#"[
            {{ name = "{posts}", format = "post" }},
            {{ name = "{jetstream}", format = "jetstream" }},
            {{ name = "{mastodon}", format = "mastodon" }},
            {{ name = "{x}", format = "x" }},
            {{ name = "{rss}", format = "rss" }},
            {{ name = "{framed}", format = "post", framing = "schema-registry" }},
            {{ name = "{reviews}", format = "mapping", mapping = {{
                encoding = "csv", delimiter = ";", source = "reviews", id = "Id", time = "Date",
                time_format = "%d.%m.%Y %H:%M", text = ["Title", "Text"] }} }},
        ]"#,
        posts = topics.name("posts"),
        jetstream = topics.name("jetstream"),
        mastodon = topics.name("mastodon"),
        x = topics.name("x"),
        rss = topics.name("rss"),
        framed = topics.name("framed"),
        reviews = topics.name("reviews"),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_of_each_format_is_heard_and_a_bad_one_of_a_page_costs_no_other() {
    let topics = TestTopics::create(1).await;
    topics.make(&["mastodon", "x", "rss", "reviews", "framed"]).await;
    let database = TestDatabase::create().await;
    let setup = Setup::new(&topics, &database.url).with("KAFKA__TOPICS", &consumed(&topics));
    let pool = database.pool().await;

    let native = json!({ "source": "test", "id": "n", "created_at": "2026-05-01 08:00:00", "text": "VMware &amp; more",
                         "link": 7, "language": ["en", "??"] });
    let event = json!({
        "$type": "network.bsky.jetstream.subscribeEvents#commit", "seq": 1, "did": "did:plc:abc",
        "time": "2026-05-01T08:00:01Z", "rev": "3krev", "operation": "create", "collection": "app.bsky.feed.post",
        "rkey": "1", "record": { "createdAt": "2026-05-01T08:00:00Z", "text": "VMware", "embed": {}, "tags": [null] },
    });
    let status = |id: &str| {
        json!({ "id": id, "created_at": "2026-05-01T08:00:00Z", "content": "<p>VMware</p>",
                "account": { "acct": "kim@other.example", "followers_count": 7 } })
    };
    let message = |event: &str, payload: Value| {
        json!({ "event": event, "server": "social.example", "payload": payload }).to_string().into_bytes()
    };
    let tweet = |id: &str, time: &str| json!({ "id": id, "created_at": time, "text": "VMware and Acme" });
    let time = "2026-05-01T08:00:00Z";
    let page =
        json!({ "data": [tweet("1", time), tweet("2", "soon"), tweet("3", time)] }).to_string().into_bytes();
    let reviews =
        b"Id;Date;Title;Text\nr1;01.05.2026 08:00;Good;VMware works\nr2;01.05.2026 08:01;Bad;Acme does not\n";

    topics.produce("posts", &[native.to_string().into_bytes(), framed(&native)]).await;
    topics.produce("jetstream", &[event.to_string().into_bytes()]).await;
    let messages = [
        message("update", status("1")),
        message("update", status("2").to_string().into()),
        message("delete", "2".into()),
    ];
    topics.produce("mastodon", &messages).await;
    topics.produce("x", &[page.clone(), br#"{"meta": {"result_count": 0}}"#.to_vec()]).await;
    topics.produce("rss", &[feed()]).await;
    topics
        .produce(
            "framed",
            &[framed(&json!({ "source": "test", "id": "f", "created_at": time, "text": "Acme" }))],
        )
        .await;
    topics.produce("reviews", &[reviews.to_vec()]).await;

    let mut daemon = setup.start("formats");
    daemon.until_ready().await;
    for (topic, records) in
        [("posts", 2), ("jetstream", 1), ("mastodon", 3), ("x", 2), ("rss", 1), ("framed", 1), ("reviews", 1)]
    {
        topics.until_committed(topic, records).await;
    }
    let rows = sqlx::query(
        "SELECT source || ' ' || post_id AS post, string_agg(brand, ' ' ORDER BY brand) AS brands
         FROM overheard.mentions GROUP BY source, post_id",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let named: BTreeMap<String, String> =
        rows.iter().map(|row| (row.get("post"), row.get("brands"))).collect();
    let expected = [
        ("bluesky at://did:plc:abc/app.bsky.feed.post/1", "vmware"),
        ("mastodon social.example/1", "vmware"),
        ("reviews r1", "vmware"),
        ("reviews r2", "acme"),
        ("rss news.example/n1", "acme vmware"),
        ("test f", "acme"),
        ("test n", "vmware"),
        ("x 1", "acme vmware"),
        ("x 3", "acme vmware"),
    ];
    let expected: BTreeMap<String, String> =
        expected.into_iter().map(|(post, brands)| (post.to_owned(), brands.to_owned())).collect();
    assert_eq!(named, expected);
    let text: String =
        sqlx::query_scalar("SELECT text FROM overheard.posts WHERE id = 'n'").fetch_one(&pool).await.unwrap();
    assert_eq!(text, "VMware & more");

    let mut letters = topics.read("dead-letters", 2, Duration::from_secs(20));
    letters.sort_by_key(|letter| letter.header("overheard.reason").to_owned());
    assert_eq!(letters[0].header("overheard.reason"), "syntax");
    assert!(letters[0].header("overheard.detail").contains("framing = \"schema-registry\""));
    assert_eq!((letters[1].header("overheard.reason"), &letters[1].payload), ("value", &page));
    assert!(letters[1].header("overheard.detail").contains("`data[1].created_at` is \"soon\""));
    let (_, metrics) = daemon.get("/metrics").await;
    for line in [
        "overheard_post_parts_repaired_total{part=\"attachment\"} 1",
        "overheard_post_parts_repaired_total{part=\"hashtag\"} 1",
        "overheard_post_parts_repaired_total{part=\"language\"} 1",
        "overheard_post_parts_repaired_total{part=\"link\"} 1",
        "overheard_posts_ignored_total{kind=\"empty\"} 1",
        "overheard_posts_rejected_total{reason=\"value\"} 1",
    ] {
        assert!(metrics.contains(line), "no {line:?} in\n{metrics}");
    }
    assert!(daemon.stop().await.success());
}

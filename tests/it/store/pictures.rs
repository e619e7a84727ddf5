//! Pictures: listed with their posts, leased, and finished once.

use std::num::NonZeroU32;
use std::time::Duration;

use overheard::domain::{ExaminedPicture, PictureOutcome};
use overheard::domain::{PixelBox, Prominence, Sighting};
use overheard::store::{FinishedCounts, FinishedPicture, LeaseRequest, PutOffPicture, QueuedPicture, Store};
use overheard::store::{StoredPost, Written};
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, PgPool};

use super::{BAD, EVEN, GOOD, judgement, post};
use crate::support::counts::assert_counts_match_rows;
use crate::support::database::TestDatabase;

pub(super) const MODEL: &str = "detector@1";

async fn number(pool: &PgPool, query: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(query)).fetch_one(pool).await.unwrap()
}

/// A post with pictures, one at each of these addresses.
pub(super) fn pictured(id: &str, minute: u32, brands: &[(&str, [f32; 3])], urls: &[&str]) -> StoredPost {
    let mut stored = post(id, &format!("2026-03-01T12:{minute:02}:00Z"), brands);
    stored.post.pictures = urls.iter().map(|url| (*url).to_owned()).collect();
    stored.kept = !brands.is_empty();
    stored
}

fn wanted(pictures: u32) -> LeaseRequest {
    LeaseRequest { pictures, per_host: pictures, busy: Vec::new(), after: String::new() }
}

pub(super) async fn lease(store: &Store, pictures: u32) -> Vec<QueuedPicture> {
    let mut leased = store.lease_pictures(&wanted(pictures)).await.unwrap();
    leased.sort_by(|a, b| (&a.post.key, a.position).cmp(&(&b.post.key, b.position)));
    leased
}

fn sighting(brand: &str) -> Sighting {
    Sighting {
        brand: brand.parse().unwrap(),
        query: overheard::domain::QueryVersion::of(brand),
        bounds: PixelBox { x: 10.0, y: 20.0, width: 120.0, height: 40.0 },
        score: 0.9,
        prominence: Prominence { share: 0.03, distance: 0.4, sharpness: 310.0 },
    }
}

pub(super) fn seen(content: u8) -> ExaminedPicture {
    ExaminedPicture {
        content: [content; 32],
        perceptual: Some(i64::from(content) << 40 | 0x55aa),
        bytes: 12_345,
        width: 640,
        height: 480,
        model: MODEL.to_owned(),
        detections: Vec::new(),
    }
}

/// A picture that was fetched and shows these brands, of a post that feels so.
pub(super) fn finished(work: &QueuedPicture, brands: &[&str], feeling: [f32; 3]) -> FinishedPicture {
    FinishedPicture {
        queued: work.clone(),
        outcome: PictureOutcome::Examined(seen(1)),
        is_new: true,
        sightings: brands.iter().map(|brand| sighting(brand)).collect(),
        judgement: Some(judgement(feeling, "m@1")),
    }
}

fn later(queued: &QueuedPicture, pause: Duration, reason: &str, is_attempt: bool) -> PutOffPicture {
    PutOffPicture { queued: queued.clone(), pause, reason: reason.to_owned(), is_attempt }
}

#[tokio::test]
async fn pictures_are_listed_with_their_posts_and_no_more_than_is_wanted() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let urls = [
        "https://a.example/1",
        "https://a.example/2",
        "no address",
        "https://b.example/4",
        "https://b.example/5",
    ];
    let batch = [
        pictured("named", 0, &[("acme", BAD), ("vmware", BAD)], &urls),
        pictured("bare", 1, &[], &urls[..1]),
    ];
    let written = store.write(&batch).await.unwrap();
    assert_eq!(written, Written { posts: 1, mentions: 2, pictures: 5, ..Written::default() });
    let again = store.write(&batch).await.unwrap();
    assert_eq!(again, Written::default());
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 1, "a bare post has no row yet");

    let leased = lease(&store, 10).await;
    let found: Vec<_> =
        leased.iter().map(|work| (work.post.key.id.as_str(), work.position, work.host.as_str())).collect();
    assert_eq!(
        found,
        [
            ("bare", 0, "a.example"),
            ("named", 0, "a.example"),
            ("named", 1, "a.example"),
            ("named", 2, "-"),
            ("named", 3, "b.example")
        ]
    );
    let first = &leased[1];
    assert_eq!(
        first.named.iter().map(overheard::domain::BrandId::as_str).collect::<Vec<_>>(),
        ["acme", "vmware"]
    );
    let expected = overheard::domain::Post { pictures: Vec::new(), ..batch[0].post.clone() };
    assert_eq!((&first.post, first.received_at, first.attempts), (&expected, batch[0].received_at, 1));
    assert!(leased[0].named.is_empty());

    // Where pictures are not looked at, none is listed.
    let mut options = database.options();
    options.pictures.per_post = 0;
    let written = Store::connect_lazy(options)
        .unwrap()
        .write(&[pictured("other", 2, &[("acme", BAD)], &urls)])
        .await
        .unwrap();
    assert_eq!(written, Written { posts: 1, mentions: 1, pictures: 0, ..Written::default() });
}

#[tokio::test]
async fn a_lease_is_held_by_one_and_comes_free_when_it_ends_or_is_given_back() {
    let database = TestDatabase::create().await;
    database.store().await;
    let mut options = database.options();
    options.pictures.lease = Duration::from_secs(3);
    let store = Store::connect_lazy(options).unwrap();
    store.write(&[pictured("p", 0, &[], &["https://a.example/1", "https://a.example/2"])]).await.unwrap();

    let first = lease(&store, 10).await;
    assert_eq!(first.len(), 2);
    assert_eq!(lease(&store, 10).await, []);
    assert_eq!(store.backlog().await.unwrap().waiting, 2);
    tokio::time::sleep(Duration::from_millis(3100)).await;
    let second = lease(&store, 10).await;
    assert_eq!(second.iter().map(|work| work.attempts).collect::<Vec<_>>(), [2, 2]);

    // Who held it before changes nothing any more, and gives nothing back.
    let late = store.finish_pictures(&[finished(&first[0], &["acme"], GOOD)]).await.unwrap();
    assert_eq!(late, FinishedCounts::default());
    store.give_back(&first).await.unwrap();
    store.put_off(&[later(&first[0], Duration::ZERO, "late", true)]).await.unwrap();
    assert_eq!(lease(&store, 10).await, []);

    // Given back, it is free at once, and it was no attempt. (Nor was the first, which came to a
    // result.)
    store.give_back(&second[..1]).await.unwrap();
    let third = lease(&store, 10).await;
    assert_eq!((third.len(), third[0].attempts), (1, 1));
    assert_eq!(store.finish_pictures(&[finished(&third[0], &["acme"], GOOD)]).await.unwrap().pictures, 1);
}

#[tokio::test]
async fn a_row_that_can_not_be_read_costs_no_other_picture_its_lease() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    store.write(&[pictured("p", 0, &[], &["https://a.example/1", "https://a.example/2"])]).await.unwrap();
    sqlx::query("UPDATE overheard.picture_queue SET named = '{No brand}' WHERE position = 0")
        .execute(&database.pool().await)
        .await
        .unwrap();
    let leased = lease(&store, 10).await;
    assert_eq!(leased.iter().map(|picture| picture.position).collect::<Vec<_>>(), [1]);
    // The unreadable one stays, with its reason, and is not taken again.
    let parked = "SELECT count(*) FROM overheard.picture_queue
                  WHERE position = 0 AND NOT leased AND due_at > now() AND put_off_for LIKE '%No brand%'";
    assert_eq!(number(&database.pool().await, parked).await, 1);
}

#[tokio::test]
async fn what_is_put_off_comes_again_when_it_is_due_with_its_reason() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    store.write(&[pictured("p", 0, &[], &["https://a.example/1", "https://a.example/2"])]).await.unwrap();
    let leased = lease(&store, 10).await;
    let in_an_hour = later(&leased[0], Duration::from_hours(1), "Come back in an hour", true);
    store.put_off(&[in_an_hour, later(&leased[1], Duration::ZERO, "The host is busy", false)]).await.unwrap();
    let again = lease(&store, 10).await;
    assert_eq!(again.len(), 1);
    assert_eq!((again[0].position, again[0].attempts), (1, 1), "a busy host is no attempt");
    assert_eq!(again[0].put_off_for.as_deref(), Some("The host is busy"));
    let backlog = store.backlog().await.unwrap();
    assert_eq!((backlog.pictures, backlog.waiting), (2, 2));
    assert!(backlog.oldest > Duration::ZERO && backlog.oldest < Duration::from_mins(1), "{backlog:?}");
}

#[tokio::test]
async fn no_host_takes_all_leases_and_all_hosts_have_their_turn() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let mut posts: Vec<_> = (0..300)
        .map(|n| pictured(&format!("slow{n}"), 0, &[], &[format!("https://b.example/{n}").as_str()]))
        .collect();
    for host in ["a", "c", "d"] {
        posts.push(pictured(host, 1, &[], &[format!("https://{host}.example/1").as_str()]));
    }
    store.write(&posts).await.unwrap();
    let hosts = async |wanted: LeaseRequest| -> Vec<String> {
        let mut hosts: Vec<_> =
            store.lease_pictures(&wanted).await.unwrap().into_iter().map(|work| work.host).collect();
        hosts.sort();
        hosts
    };
    let b = |count| vec!["b.example".to_owned(); count];
    let first = LeaseRequest { pictures: 20, per_host: 4, busy: Vec::new(), after: "b".to_owned() };
    assert_eq!(
        hosts(first.clone()).await,
        [b(4), vec!["c.example".to_owned(), "d.example".to_owned()]].concat()
    );
    let busy = vec![("b.example".to_owned(), 3), ("z.example".to_owned(), 9)];
    let second = LeaseRequest { after: String::new(), busy, ..first.clone() };
    assert_eq!(hosts(second).await, [vec!["a.example".to_owned()], b(1)].concat());
    let full =
        LeaseRequest { after: String::new(), busy: vec![("b.example".to_owned(), 7)], ..first.clone() };
    assert_eq!(hosts(full).await, Vec::<String>::new());
    assert_eq!(
        hosts(LeaseRequest { after: "b.example".to_owned(), ..first.clone() }).await,
        Vec::<String>::new()
    );
    assert_eq!(hosts(LeaseRequest { pictures: 3, after: String::new(), ..first }).await, b(3));
}

#[tokio::test]
async fn a_logo_makes_a_mention_or_strengthens_one_and_a_second_look_changes_nothing() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let batch = [
        pictured("named", 0, &[("acme", BAD)], &["https://a.example/1", "https://a.example/2"]),
        pictured("bare", 0, &[], &["https://a.example/3"]),
        pictured("dull", 0, &[], &["https://a.example/4"]),
        pictured("words", 0, &[("acme", GOOD)], &[]),
    ];
    store.write(&batch).await.unwrap();
    for turn in 0..2 {
        let leased = lease(&store, 10).await;
        let ids: Vec<_> = leased.iter().map(|work| work.post.key.id.as_str()).collect();
        assert_eq!(ids, ["bare", "dull", "named", "named"], "turn {turn}");
        // The text's brand in both of its pictures, another one in the second alone, twice.
        let looks = [
            finished(&leased[0], &["vmware"], GOOD),
            finished(&leased[1], &[], EVEN),
            finished(&leased[2], &["acme"], BAD),
            finished(&leased[3], &["vmware", "acme", "vmware"], BAD),
        ];
        let counts = store.finish_pictures(&looks).await.unwrap();
        let expected = FinishedCounts { pictures: 4, sightings: 5, mentions: 2, strengthened: 1, posts: 1 };
        assert_eq!(
            counts,
            if turn == 0 { expected } else { FinishedCounts { pictures: 4, ..Default::default() } }
        );
        assert_eq!(number(&pool, "SELECT count(*) FROM overheard.picture_queue").await, 0);
        let posts = number(&pool, "SELECT count(*) FROM overheard.posts").await;
        assert_eq!(posts, 3, "a post that names none and shows none leaves nothing");
        let evidence: Vec<(String, String, String)> =
            sqlx::query_as("SELECT post_id, brand, evidence FROM overheard.recent_mentions ORDER BY 1, 2")
                .fetch_all(&pool)
                .await
                .unwrap();
        let found: Vec<_> =
            evidence.iter().map(|row| (row.0.as_str(), row.1.as_str(), row.2.as_str())).collect();
        assert_eq!(
            found,
            [
                ("bare", "vmware", "image"),
                ("named", "acme", "both"),
                ("named", "vmware", "image"),
                ("words", "acme", "text")
            ]
        );
        assert_counts_match_rows(&pool).await;
        // Kafka delivers it all once more.
        let written = store.write(&batch).await.unwrap();
        assert_eq!(written, Written { posts: 0, mentions: 0, pictures: 4, ..Written::default() });
    }
    let hours: Vec<(String, String, i64, i64, i64)> = sqlx::query_as(
        "SELECT brand, evidence, mentions, positive, sightings FROM overheard.brand_evidence_hours ORDER BY 1, 2",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    let found: Vec<_> =
        hours.iter().map(|row| (row.0.as_str(), row.1.as_str(), row.2, row.3, row.4)).collect();
    assert_eq!(found, [("acme", "both", 1, 0, 2), ("acme", "text", 1, 1, 0), ("vmware", "image", 2, 1, 3)]);
    let shown =
        "SELECT count(*) FROM overheard.recent_sightings WHERE text LIKE 'what%' AND label IS NOT NULL";
    assert_eq!(number(&pool, shown).await, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_finish_the_same_posts_at_once_count_exactly() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let posts: Vec<_> = (0..120u32)
        .map(|n| {
            let brands: &[(&str, [f32; 3])] = if n % 2 == 0 { &[("acme", BAD)] } else { &[] };
            let urls: Vec<String> = (0..4).map(|p| format!("https://h{}.example/{n}/{p}", n % 5)).collect();
            let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
            pictured(&format!("p{n}"), n % 7, brands, &urls)
        })
        .collect();
    store.write(&posts).await.unwrap();
    let workers = (0..6).map(|worker: usize| {
        let (store, posts) = (store.clone(), posts.clone());
        tokio::spawn(async move {
            let mut total = FinishedCounts::default();
            for turn in 0.. {
                let mut leased = store.lease_pictures(&wanted(20)).await.expect("no deadlock");
                if leased.is_empty() {
                    break;
                }
                if worker.is_multiple_of(2) {
                    leased.reverse();
                }
                // Each picture shows brands in an order of its own.
                let shows = [&["zeta", "acme"][..], &["acme"], &["vmware", "zeta"], &[]];
                let look = |work: &QueuedPicture| {
                    finished(work, shows[usize::try_from(work.position).unwrap()], GOOD)
                };
                let looks: Vec<_> = leased.iter().map(look).collect();
                let counts = store.finish_pictures(&looks).await.expect("no deadlock");
                total.sightings += counts.sightings;
                total.mentions += counts.mentions;
                total.strengthened += counts.strengthened;
                // Meanwhile posts come again.
                if turn < 10 {
                    let from = (worker * 17 + turn) % 100;
                    store.write(&posts[from..from + 3]).await.expect("no deadlock");
                }
            }
            total
        })
    });
    let mut total = FinishedCounts::default();
    for worker in workers.collect::<Vec<_>>() {
        let counts = worker.await.unwrap();
        total.sightings += counts.sightings;
        total.mentions += counts.mentions;
        total.strengthened += counts.strengthened;
    }
    assert_eq!((total.sightings, total.mentions, total.strengthened), (120 * 5, 120 * 3 - 60, 60));
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.sightings").await, 120 * 5);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 120);
    assert_counts_match_rows(&pool).await;
}

#[tokio::test]
async fn every_end_of_a_picture_has_its_row_of_media() {
    let database = TestDatabase::create().await;
    let (store, pool) = (database.store().await, database.pool().await);
    let urls = ["https://a.example/1", "https://a.example/2", "https://a.example/3", "https://a.example/4"];
    store.write(&[pictured("p", 0, &[], &urls)]).await.unwrap();
    let leased = lease(&store, 10).await;
    let ends = [
        PictureOutcome::Examined(seen(7)),
        PictureOutcome::Refused("a.example has a private address".to_owned()),
        PictureOutcome::Failed("a.example has nothing there (HTTP status 404)".to_owned()),
        PictureOutcome::Undecodable { reason: "It is none".to_owned(), content: [9; 32], bytes: 11 },
    ];
    let looks: Vec<_> = leased
        .iter()
        .zip(&ends)
        .map(|(work, end)| FinishedPicture { outcome: end.clone(), ..finished(work, &[], EVEN) })
        .collect();
    store.finish_pictures(&looks).await.unwrap();
    let rows: Vec<(String, Option<String>, Option<i64>)> = sqlx::query_as(
        "SELECT outcome, reason, bytes FROM overheard.media
             ORDER BY array_position($1, url_sha256)",
    )
    .bind(urls.iter().map(|url| Sha256::digest(url.as_bytes()).to_vec()).collect::<Vec<_>>())
    .fetch_all(&pool)
    .await
    .unwrap();
    let found: Vec<_> = rows.iter().map(|row| (row.0.as_str(), row.1.is_some(), row.2)).collect();
    assert_eq!(
        found,
        [
            ("fetched", false, Some(12_345)),
            ("refused", true, None),
            ("failed", true, None),
            ("undecodable", true, Some(11))
        ]
    );
    let remembered = store.known_urls(&urls, MODEL).await.unwrap();
    for (url, end) in urls.iter().zip(ends) {
        assert_eq!(remembered[*url], end);
    }
}

#[tokio::test]
async fn settings_keep_texts_and_authors_out_of_posts_known_by_pictures() {
    let database = TestDatabase::create().await;
    let pool = database.pool().await;
    database.store().await;
    let mut options = database.options();
    (options.keep_text, options.keep_author) = (false, false);
    options.pictures.attempts = NonZeroU32::MIN;
    let store = Store::connect_lazy(options).unwrap();
    store.write(&[pictured("p", 0, &[], &["https://a.example/1"])]).await.unwrap();
    let leased = lease(&store, 10).await;
    assert_eq!(leased[0].post.text, "what p says", "the text waits to be scored");
    assert_eq!(leased[0].post.author, None);
    store.finish_pictures(&[finished(&leased[0], &["acme"], GOOD)]).await.unwrap();
    let kept = "SELECT count(*) FROM overheard.posts WHERE text IS NOT NULL OR author IS NOT NULL";
    assert_eq!(number(&pool, kept).await, 0);
    assert_eq!(number(&pool, "SELECT count(*) FROM overheard.posts").await, 1);
}

//! Leases of pictures: renewed, told apart by their numbers, and what counts as an attempt.

use std::time::Duration;

use overheard::store::{FinishedCounts, HeldLease, QueuedPicture, Store};
use sqlx::PgPool;

use super::GOOD;
use super::pictures::{finished, lease, pictured};
use crate::support::database::TestDatabase;

/// A store with leases as long as given, and a queue of two pictures.
async fn two_pictures(database: &TestDatabase, lease: Duration) -> (Store, PgPool) {
    database.store().await;
    let mut options = database.options();
    options.pictures.lease = lease;
    let store = Store::connect_lazy(options).unwrap();
    store.write(&[pictured("p", 0, &[], &["https://a.example/1", "https://a.example/2"])]).await.unwrap();
    (store, database.pool().await)
}

/// All leases end now.
async fn end_leases(pool: &PgPool) {
    sqlx::query("UPDATE overheard.picture_queue SET due_at = now() - interval '1 s'")
        .execute(pool)
        .await
        .unwrap();
}

async fn attempts(pool: &PgPool) -> Vec<i32> {
    sqlx::query_scalar("SELECT attempts FROM overheard.picture_queue ORDER BY position")
        .fetch_all(pool)
        .await
        .unwrap()
}

fn held(queued: &QueuedPicture, has_result: bool) -> HeldLease {
    HeldLease { queued: queued.clone(), has_result }
}

#[tokio::test]
async fn a_renewed_lease_lasts_and_an_attempt_that_came_to_a_result_does_not_count() {
    let database = TestDatabase::create().await;
    let (store, pool) = two_pictures(&database, Duration::from_mins(1)).await;
    let first = lease(&store, 10).await;
    end_leases(&pool).await;
    for _ in 0..2 {
        store.renew_leases(&[held(&first[0], true), held(&first[1], false)]).await.unwrap();
        assert_eq!(attempts(&pool).await, [0, 1]);
    }
    assert_eq!(lease(&store, 10).await, []);

    end_leases(&pool).await;
    let second = lease(&store, 10).await;
    assert_eq!(second.iter().map(|queued| queued.attempts).collect::<Vec<_>>(), [1, 2]);
    // The leases are others' now.
    end_leases(&pool).await;
    store.renew_leases(&[held(&first[0], true), held(&first[1], false)]).await.unwrap();
    assert_eq!(lease(&store, 10).await.len(), 2);
}

#[tokio::test]
async fn a_late_result_changes_nothing_but_that_its_attempt_no_longer_counts() {
    let database = TestDatabase::create().await;
    let (store, pool) = two_pictures(&database, Duration::from_mins(1)).await;
    let first = lease(&store, 10).await;
    end_leases(&pool).await;
    let second = lease(&store, 10).await;
    assert_eq!(attempts(&pool).await, [2, 2]);
    let late = store.finish_pictures(&[finished(&first[0], &["acme"], GOOD)]).await.unwrap();
    assert_eq!(late, FinishedCounts::default());
    assert_eq!(attempts(&pool).await, [1, 2]);
    assert_eq!(store.finish_pictures(&[finished(&second[0], &["acme"], GOOD)]).await.unwrap().sightings, 1);
}

#[tokio::test]
async fn a_lease_of_a_row_that_was_removed_is_not_one_of_the_row_that_came_after_it() {
    let database = TestDatabase::create().await;
    let (store, pool) = two_pictures(&database, Duration::from_mins(1)).await;
    let old = lease(&store, 10).await;
    sqlx::query("DELETE FROM overheard.picture_queue").execute(&pool).await.unwrap();
    store.write(&[pictured("p", 0, &[], &["https://a.example/edited"])]).await.unwrap();
    let new = lease(&store, 10).await;
    assert_eq!((new.len(), new[0].attempts), (1, old[0].attempts));
    let late = store.finish_pictures(&[finished(&old[0], &["acme"], GOOD)]).await.unwrap();
    assert_eq!(late, FinishedCounts::default());
    assert_eq!(store.finish_pictures(&[finished(&new[0], &["acme"], GOOD)]).await.unwrap().pictures, 1);
}

//! Roll-ups are what one would count from the rows that no mute hides.

use sqlx::PgPool;

/// What the rows say, held to the counts and to what a view makes of them.
const DIFFERENCES: &str = "
    WITH truth AS (
        SELECT brand, date_trunc('minute', created_at, 'UTC') AS minute, source,
               coalesce(language, 'und') AS language, kind, evidence, count(*) AS mentions,
               count(*) FILTER (WHERE label = 'negative') AS negative,
               count(*) FILTER (WHERE label = 'neutral') AS neutral,
               count(*) FILTER (WHERE label = 'positive') AS positive,
               count(*) FILTER (WHERE label IS NULL) AS unscored,
               coalesce(sum(polarity::float8), 0) AS polarity
        FROM overheard.mentions WHERE muted_by IS NULL GROUP BY 1, 2, 3, 4, 5, 6
    ), logos AS (
        SELECT s.brand, date_trunc('minute', s.created_at, 'UTC') AS minute, s.source,
               coalesce(m.language, 'und') AS language, m.kind, m.evidence, count(*) AS sightings
        FROM overheard.sightings s
        JOIN overheard.mentions m USING (source, post_id, created_at, brand)
        WHERE m.muted_by IS NULL GROUP BY 1, 2, 3, 4, 5, 6
    ), viewed AS (
        SELECT brand, minute, evidence, sum(mentions) AS mentions, sum(unscored) AS unscored,
               sum(polarity) / nullif(sum(mentions - unscored), 0)::float8 AS polarity
        FROM truth GROUP BY 1, 2, 3
    )
    SELECT 'mention_counts: ' || coalesce(c::text, truth::text) AS difference
    FROM truth
    FULL JOIN overheard.mention_counts c USING (brand, minute, source, language, kind, evidence)
    LEFT JOIN logos USING (brand, minute, source, language, kind, evidence)
    WHERE (c.mentions, c.negative, c.neutral, c.positive, c.unscored, c.sightings)
          IS DISTINCT FROM (truth.mentions, truth.negative, truth.neutral, truth.positive, truth.unscored,
                            coalesce(logos.sightings, 0))
       OR abs(c.polarity_sum - truth.polarity) > 1e-6
    UNION ALL
    SELECT 'mention_hours: ' || coalesce(h::text, minutes::text)
    FROM (
        SELECT brand, date_trunc('hour', minute, 'UTC') AS hour, source, language, kind, evidence,
               sum(mentions) AS mentions, sum(negative) AS negative, sum(neutral) AS neutral,
               sum(positive) AS positive, sum(unscored) AS unscored, sum(sightings) AS sightings,
               sum(polarity_sum) AS polarity
        FROM overheard.mention_counts GROUP BY 1, 2, 3, 4, 5, 6
    ) minutes
    FULL JOIN overheard.mention_hours h USING (brand, hour, source, language, kind, evidence)
    WHERE (h.mentions, h.negative, h.neutral, h.positive, h.unscored, h.sightings)
          IS DISTINCT FROM (minutes.mentions, minutes.negative, minutes.neutral, minutes.positive,
                            minutes.unscored, minutes.sightings)
       OR abs(h.polarity_sum - minutes.polarity) > 1e-6
    UNION ALL
    SELECT 'evidence_hours: ' || coalesce(e::text, hours::text)
    FROM (
        SELECT brand, hour, evidence, sum(mentions) AS mentions, sum(negative) AS negative,
               sum(neutral) AS neutral, sum(positive) AS positive, sum(unscored) AS unscored,
               sum(sightings) AS sightings, sum(polarity_sum) AS polarity
        FROM overheard.mention_hours GROUP BY 1, 2, 3
    ) hours
    FULL JOIN overheard.evidence_hours e USING (brand, hour, evidence)
    WHERE (e.mentions, e.negative, e.neutral, e.positive, e.unscored, e.sightings)
          IS DISTINCT FROM (hours.mentions, hours.negative, hours.neutral, hours.positive, hours.unscored,
                            hours.sightings)
       OR abs(e.polarity_sum - hours.polarity) > 1e-6
    UNION ALL
    SELECT 'evidence_days: ' || coalesce(e::text, hours::text)
    FROM (
        SELECT brand, date_trunc('day', hour, 'UTC') AS day, evidence, sum(mentions) AS mentions,
               sum(negative) AS negative, sum(neutral) AS neutral, sum(positive) AS positive,
               sum(unscored) AS unscored, sum(sightings) AS sightings, sum(polarity_sum) AS polarity
        FROM overheard.evidence_hours GROUP BY 1, 2, 3
    ) hours
    FULL JOIN overheard.evidence_days e USING (brand, day, evidence)
    WHERE (e.mentions, e.negative, e.neutral, e.positive, e.unscored, e.sightings)
          IS DISTINCT FROM (hours.mentions, hours.negative, hours.neutral, hours.positive, hours.unscored,
                            hours.sightings)
       OR abs(e.polarity_sum - hours.polarity) > 1e-6
    UNION ALL
    SELECT 'author_days: ' || coalesce(a::text, authors::text)
    FROM (
        SELECT m.brand, (m.created_at AT TIME ZONE 'UTC')::date AS day, s.author_key, count(*) AS mentions
        FROM overheard.mentions m
        JOIN overheard.post_states s ON (s.source, s.id, s.created_at) = (m.source, m.post_id, m.created_at)
        WHERE s.author_key IS NOT NULL AND m.muted_by IS NULL GROUP BY 1, 2, 3
    ) authors
    FULL JOIN overheard.author_days a USING (brand, day, author_key)
    WHERE a.mentions IS DISTINCT FROM authors.mentions
    UNION ALL
    SELECT 'topic_hours: ' || coalesce(t::text, topics::text)
    FROM (
        SELECT m.brand, of_post.kind, date_trunc('hour', m.created_at, 'UTC') AS hour, of_post.topic,
               count(*) AS mentions
        FROM overheard.mentions m
        JOIN overheard.posts p ON (p.source, p.id, p.created_at) = (m.source, m.post_id, m.created_at)
        CROSS JOIN LATERAL (
            SELECT 'link' AS kind, topic FROM unnest(p.links) AS topic
            UNION ALL SELECT 'hashtag', topic FROM unnest(p.hashtags) AS topic
            UNION ALL SELECT 'host', topic FROM unnest(p.hosts) AS topic
        ) of_post WHERE m.muted_by IS NULL GROUP BY 1, 2, 3, 4
    ) topics
    FULL JOIN overheard.topic_hours t USING (brand, kind, hour, topic)
    WHERE t.mentions IS DISTINCT FROM topics.mentions
    UNION ALL
    SELECT 'identity of a post: ' || p.id
    FROM overheard.posts p
    LEFT JOIN overheard.post_states s ON (s.source, s.id, s.created_at) = (p.source, p.id, p.created_at)
    WHERE s.id IS NULL OR s.state = 'removed'
    UNION ALL
    SELECT 'kind of a post: ' || m::text
    FROM overheard.mentions m
    JOIN overheard.posts p ON (p.source, p.id, p.created_at) = (m.source, m.post_id, m.created_at)
    WHERE m.kind <> p.kind
    UNION ALL
    SELECT 'brand_evidence_minutes: ' || coalesce(v::text, viewed::text)
    FROM viewed
    FULL JOIN overheard.brand_evidence_minutes v USING (brand, minute, evidence)
    WHERE (v.mentions, v.unscored) IS DISTINCT FROM (viewed.mentions, viewed.unscored)
       OR (v.polarity IS NULL) <> (viewed.polarity IS NULL) OR abs(v.polarity - viewed.polarity) > 1e-6";

pub async fn assert_counts_match_rows(pool: &PgPool) {
    let differences: Vec<Option<String>> = sqlx::query_scalar(DIFFERENCES).fetch_all(pool).await.unwrap();
    assert!(differences.is_empty(), "roll-ups differ from the rows: {differences:#?}");
}

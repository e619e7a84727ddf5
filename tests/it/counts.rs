//! Roll-ups are what one would count from the rows.

use sqlx::PgPool;

/// Mentions by all that they are counted under, held to both tables of counts and to what the views
/// make of them; sightings with them.
const DIFFERENCES: &str = "
    WITH truth AS (
        SELECT brand, date_trunc('minute', created_at, 'UTC') AS minute, source,
               coalesce(language, 'und') AS language, evidence, count(*) AS mentions,
               count(*) FILTER (WHERE label = 'negative') AS negative,
               count(*) FILTER (WHERE label = 'neutral') AS neutral,
               count(*) FILTER (WHERE label = 'positive') AS positive,
               count(*) FILTER (WHERE label IS NULL) AS unscored,
               coalesce(sum(polarity::float8), 0) AS polarity
        FROM overheard.mentions GROUP BY 1, 2, 3, 4, 5
    ), all_of_them AS (
        SELECT brand, minute, source, language, sum(mentions) AS mentions, sum(negative) AS negative,
               sum(neutral) AS neutral, sum(positive) AS positive, sum(unscored) AS unscored,
               sum(polarity) AS polarity
        FROM truth GROUP BY 1, 2, 3, 4
    ), logos AS (
        SELECT s.brand, date_trunc('minute', s.created_at, 'UTC') AS minute, s.source,
               coalesce(m.language, 'und') AS language, m.evidence, count(*) AS sightings
        FROM overheard.sightings s
        JOIN overheard.mentions m USING (source, post_id, created_at, brand) GROUP BY 1, 2, 3, 4, 5
    ), viewed AS (
        SELECT brand, minute, evidence, sum(mentions) AS mentions, sum(unscored) AS unscored,
               sum(polarity) / nullif(sum(mentions - unscored), 0)::float8 AS polarity
        FROM truth GROUP BY 1, 2, 3
    )
    SELECT 'mention_counts: ' || coalesce(c::text, truth::text) AS difference
    FROM all_of_them truth
    FULL JOIN overheard.mention_counts c USING (brand, minute, source, language)
    WHERE (c.mentions, c.negative, c.neutral, c.positive, c.unscored)
          IS DISTINCT FROM (truth.mentions, truth.negative, truth.neutral, truth.positive, truth.unscored)
       OR abs(c.polarity_sum - truth.polarity) > 1e-6
    UNION ALL
    SELECT 'evidence_counts: ' || coalesce(c::text, truth::text)
    FROM (SELECT * FROM truth WHERE evidence <> 'text') truth
    FULL JOIN overheard.evidence_counts c USING (brand, minute, source, language, evidence)
    LEFT JOIN logos USING (brand, minute, source, language, evidence)
    WHERE (c.mentions, c.negative, c.neutral, c.positive, c.unscored, c.sightings)
          IS DISTINCT FROM (truth.mentions, truth.negative, truth.neutral, truth.positive, truth.unscored,
                            coalesce(logos.sightings, 0))
       OR abs(c.polarity_sum - truth.polarity) > 1e-6
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

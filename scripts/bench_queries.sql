-- What `make bench-queries` loads, in steps; each is one transaction and is not done twice. A test
-- loads less of it. {mentions} is how many mentions the last {days} days have; of the last {post_days}
-- days there are rows as well. Times go a little past now, so that a database that was kept can still
-- be asked for its last minutes a few hours later.

--- mentions, staged
CREATE UNLOGGED TABLE bench.mentions AS
SELECT n, at, date_trunc('minute', at, 'UTC') AS minute,
       CASE WHEN b < 0.40 THEN 'vmware' WHEN b < 0.65 THEN 'acme' WHEN b < 0.83 THEN 'globex'
            WHEN b < 0.95 THEN 'initech' ELSE 'umbrella' END AS brand,
       CASE WHEN s < 0.75 THEN 'bluesky' WHEN s < 0.95 THEN 'mastodon' ELSE 'forum' END AS source,
       CASE WHEN l < 0.70 THEN 'en' WHEN l < 0.85 THEN 'de' WHEN l < 0.95 THEN 'es' ELSE 'ja' END AS language,
       CASE WHEN k < 0.50 THEN 'original' WHEN k < 0.80 THEN 'reply' WHEN k < 0.95 THEN 'repost'
            ELSE 'quote' END AS kind,
       CASE WHEN e < 0.90 THEN 'text' WHEN e < 0.97 THEN 'both' ELSE 'image' END AS evidence,
       CASE WHEN l >= 0.95 THEN NULL WHEN f < 0.30 THEN 'negative' WHEN f < 0.75 THEN 'neutral'
            ELSE 'positive' END AS label,
       (power(a, 2) * 2000000)::bigint AS author,
       CASE WHEN h < 0.40 THEN (power(h / 0.40, 3) * 3000)::integer END AS hashtag,
       CASE WHEN w < 0.25 THEN (power(w / 0.25, 2) * 200000)::integer END AS link
FROM (
    SELECT n,
           date_trunc('hour', now()) + interval '6 hours' - interval '1 day' * ({days} * (1 - n::float8 / {mentions})) AS at,
           random() AS b, random() AS s, random() AS l, random() AS k, random() AS e, random() AS f,
           random() AS a, random() AS h, random() AS w
    FROM generate_series(1, {mentions}) AS n
) AS drawn;

--- mention_counts
INSERT INTO overheard.mention_counts
SELECT brand, minute, source, language, kind, evidence, count(*),
       count(*) FILTER (WHERE label = 'negative'), count(*) FILTER (WHERE label = 'neutral'),
       count(*) FILTER (WHERE label = 'positive'), count(*) FILTER (WHERE label IS NULL),
       sum(CASE label WHEN 'negative' THEN -0.8 WHEN 'positive' THEN 0.8 ELSE 0 END),
       count(*) FILTER (WHERE evidence <> 'text') * 3
FROM bench.mentions
GROUP BY minute, brand, source, language, kind, evidence
ORDER BY minute, brand, source, language, kind, evidence;

--- mention_hours
INSERT INTO overheard.mention_hours
SELECT brand, date_trunc('hour', minute, 'UTC'), source, language, kind, evidence, sum(mentions), sum(negative),
       sum(neutral), sum(positive), sum(unscored), sum(polarity_sum), sum(sightings)
FROM overheard.mention_counts
GROUP BY 2, 1, 3, 4, 5, 6
ORDER BY 2, 1, 3, 4, 5, 6;

--- evidence_hours
INSERT INTO overheard.evidence_hours
SELECT brand, hour, evidence, sum(mentions), sum(negative), sum(neutral), sum(positive), sum(unscored),
       sum(polarity_sum), sum(sightings)
FROM overheard.mention_hours
GROUP BY 2, 1, 3
ORDER BY 2, 1, 3;

--- evidence_days
INSERT INTO overheard.evidence_days
SELECT brand, date_trunc('day', hour, 'UTC'), evidence, sum(mentions), sum(negative), sum(neutral), sum(positive),
       sum(unscored), sum(polarity_sum), sum(sightings)
FROM overheard.evidence_hours
GROUP BY 2, 1, 3
ORDER BY 2, 1, 3;

--- author_days
INSERT INTO overheard.author_days
SELECT brand, (at AT TIME ZONE 'UTC')::date, decode(md5(author::text), 'hex'), count(*)
FROM bench.mentions
GROUP BY 2, 1, author
ORDER BY 2, 1, 3;

--- topic_hours
INSERT INTO overheard.topic_hours
SELECT brand, topics.kind, date_trunc('hour', minute, 'UTC'), topic, count(*)
FROM bench.mentions
CROSS JOIN LATERAL (VALUES
    ('hashtag', 'tag' || hashtag),
    ('link', 'https://site' || link % 2000 || '.example/articles/' || link),
    ('host', 'site' || link % 2000 || '.example')) AS topics (kind, topic)
WHERE topic IS NOT NULL
GROUP BY 3, 1, 2, 4
ORDER BY 3, 1, 2, 4;

--- day partitions
DO $$
DECLARE
    name text;
    day  date;
BEGIN
    FOREACH name IN ARRAY ARRAY['posts', 'mentions', 'sightings'] LOOP
        FOR back IN -2 .. {post_days} LOOP
            day := (now() AT TIME ZONE 'UTC')::date - back;
            EXECUTE format('CREATE TABLE overheard.%1$s_%2$s PARTITION OF overheard.%1$s
                            FOR VALUES FROM (%3$L) TO (%4$L)',
                           name, to_char(day, 'YYYYMMDD'), day || ' 00:00+00', day + 1 || ' 00:00+00');
        END LOOP;
    END LOOP;
END
$$;

--- posts
INSERT INTO overheard.posts (source, id, created_at, received_at, kind, author, text, link, languages)
SELECT source, 'post' || n, at, at, kind, 'author' || author,
       'What I think of ' || brand || ' today: ' || repeat('words and more words, ', 5) || n,
       'https://' || source || '.example/' || n, ARRAY[language]
FROM bench.mentions
WHERE at >= ((now() AT TIME ZONE 'UTC')::date - {post_days}) AT TIME ZONE 'UTC'
ORDER BY at;

--- mentions
INSERT INTO overheard.mentions (source, post_id, created_at, brand, query, kind, evidence, language, label,
                                negative, neutral, positive, polarity, model, spans, received_at)
SELECT source, 'post' || n, at, brand, 'bench', kind, evidence, language, label,
       CASE label WHEN 'negative' THEN 0.8 WHEN 'neutral' THEN 0.1 WHEN 'positive' THEN 0 END,
       CASE label WHEN 'negative' THEN 0.2 WHEN 'neutral' THEN 0.8 WHEN 'positive' THEN 0.2 END,
       CASE label WHEN 'negative' THEN 0 WHEN 'neutral' THEN 0.1 WHEN 'positive' THEN 0.8 END,
       CASE label WHEN 'negative' THEN -0.8 WHEN 'neutral' THEN 0 WHEN 'positive' THEN 0.8 END,
       CASE WHEN label IS NOT NULL THEN 'sentiment@5' END,
       ARRAY[int4range(16, 16 + length(brand))], at
FROM bench.mentions
WHERE at >= ((now() AT TIME ZONE 'UTC')::date - {post_days}) AT TIME ZONE 'UTC'
ORDER BY at;

--- sightings
INSERT INTO overheard.sightings (source, post_id, created_at, position, brand, number, url, picture_width,
                                 picture_height, x, y, width, height, score, share, distance, sharpness,
                                 model, received_at)
SELECT source, 'post' || n, at, 0, brand, number, 'https://pictures.example/' || n, 1024, 768,
       10, 20, 200, 80, 0.9, random() / 10, random(), 100, 'logo-detector@3', at
FROM bench.mentions
CROSS JOIN generate_series(0, 2) AS number
WHERE at >= ((now() AT TIME ZONE 'UTC')::date - {post_days}) AT TIME ZONE 'UTC' AND evidence <> 'text'
ORDER BY at;

--- alerts
INSERT INTO overheard.alerts
SELECT alert.*
FROM generate_series(1, 5000) AS n
CROSS JOIN LATERAL (SELECT now() - n * interval '90 minutes' AS at) AS fired
CROSS JOIN LATERAL jsonb_populate_record(NULL::overheard.alerts, jsonb_build_object(
    'id', 'alert' || n, 'rule', 'volume', 'kind', 'volume', 'brand', (ARRAY['vmware', 'acme', 'globex'])[n % 3 + 1],
    'state', CASE WHEN n > 5 THEN 'resolved' ELSE 'firing' END,
    'started_at', at, 'fired_at', at, 'resolved_at', CASE WHEN n > 5 THEN at + interval '10 minutes' END,
    'window_seconds', 300, 'value', 50, 'threshold', 20, 'mentions', 50, 'negative', 20, 'neutral', 20,
    'positive', 10, 'unscored', 0, 'polarity_sum', -10, 'sightings', 3, 'late', false)) AS alert;

-- What dashboards read of pictures. Names and columns of these views are stable; tables may change.

CREATE VIEW overheard.brand_evidence_minutes AS
SELECT brand, minute, evidence,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions), 0)::double precision AS polarity,
       sum(sightings)::bigint AS sightings
FROM (
    SELECT brand, minute, evidence, mentions, negative, neutral, positive, polarity_sum, sightings
    FROM overheard.evidence_counts
    UNION ALL
    SELECT brand, minute, 'text', mentions, negative, neutral, positive, polarity_sum, 0
    FROM overheard.mention_counts
    UNION ALL
    SELECT brand, minute, 'text', -mentions, -negative, -neutral, -positive, -polarity_sum, 0
    FROM overheard.evidence_counts
) counted
GROUP BY brand, minute, evidence
HAVING sum(mentions) > 0;

COMMENT ON VIEW overheard.brand_evidence_minutes IS
    'Mentions by brand, minute and evidence, with the logos seen; what has no mentions has no row';
COMMENT ON COLUMN overheard.brand_evidence_minutes.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_evidence_minutes.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_evidence_minutes.evidence IS 'text: the text names it; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.brand_evidence_minutes.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_evidence_minutes.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_evidence_minutes.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_evidence_minutes.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_evidence_minutes.polarity IS 'Mean polarity, -1 to 1';
COMMENT ON COLUMN overheard.brand_evidence_minutes.sightings IS 'Logos seen in the pictures of these posts';

CREATE VIEW overheard.brand_evidence_hours AS
SELECT brand, date_trunc('hour', minute, 'UTC') AS hour, evidence,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions), 0)::double precision AS polarity,
       sum(sightings)::bigint AS sightings
FROM (
    SELECT brand, minute, evidence, mentions, negative, neutral, positive, polarity_sum, sightings
    FROM overheard.evidence_counts
    UNION ALL
    SELECT brand, minute, 'text', mentions, negative, neutral, positive, polarity_sum, 0
    FROM overheard.mention_counts
    UNION ALL
    SELECT brand, minute, 'text', -mentions, -negative, -neutral, -positive, -polarity_sum, 0
    FROM overheard.evidence_counts
) counted
GROUP BY brand, date_trunc('hour', minute, 'UTC'), evidence
HAVING sum(mentions) > 0;

COMMENT ON VIEW overheard.brand_evidence_hours IS
    'Are they saying nice things about us? Mentions and feelings of posts that name a brand, show it, or both, by hour; for a part of the time use brand_evidence_minutes';
COMMENT ON COLUMN overheard.brand_evidence_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_evidence_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_evidence_hours.evidence IS 'text: the text names it; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.brand_evidence_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_evidence_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_evidence_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_evidence_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_evidence_hours.polarity IS 'Mean polarity, -1 to 1';
COMMENT ON COLUMN overheard.brand_evidence_hours.sightings IS 'Logos seen in the pictures of these posts';

CREATE OR REPLACE VIEW overheard.recent_mentions AS
SELECT m.created_at, m.received_at, m.brand, m.source, m.post_id,
       p.kind, p.author, p.text, p.link, m.language, p.reach,
       m.label, m.negative, m.neutral, m.positive, m.polarity, m.model, m.evidence
FROM overheard.mentions m
LEFT JOIN overheard.posts p
       ON p.source = m.source AND p.id = m.post_id AND p.created_at = m.created_at;

COMMENT ON COLUMN overheard.recent_mentions.evidence IS 'text: the text names it; image: a picture shows its logo; both';

CREATE VIEW overheard.recent_sightings AS
SELECT s.created_at, s.received_at, s.brand, s.source, s.post_id, s.position,
       s.x, s.y, s.width, s.height, s.picture_width, s.picture_height,
       s.score, s.share, s.distance, s.sharpness, s.url, s.model, s.seen_at,
       m.evidence, m.label, m.polarity, p.author, p.text, p.link
FROM overheard.sightings s
LEFT JOIN overheard.mentions m
       ON m.source = s.source AND m.post_id = s.post_id AND m.created_at = s.created_at AND m.brand = s.brand
LEFT JOIN overheard.posts p
       ON p.source = s.source AND p.id = s.post_id AND p.created_at = s.created_at;

COMMENT ON VIEW overheard.recent_sightings IS
    'Logos seen, with their posts; ask for a range of created_at, and order by it';
COMMENT ON COLUMN overheard.recent_sightings.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.recent_sightings.received_at IS 'When the post was read from Kafka';
COMMENT ON COLUMN overheard.recent_sightings.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.recent_sightings.source IS 'The post''s network';
COMMENT ON COLUMN overheard.recent_sightings.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.recent_sightings.position IS 'Which of the post''s pictures it is in, from 0';
COMMENT ON COLUMN overheard.recent_sightings.x IS 'Left edge of the logo in pixels';
COMMENT ON COLUMN overheard.recent_sightings.y IS 'Upper edge of the logo in pixels, from the top';
COMMENT ON COLUMN overheard.recent_sightings.width IS 'Width of the logo in pixels';
COMMENT ON COLUMN overheard.recent_sightings.height IS 'Height of the logo in pixels';
COMMENT ON COLUMN overheard.recent_sightings.picture_width IS 'Width of the upright picture in pixels';
COMMENT ON COLUMN overheard.recent_sightings.picture_height IS 'Height of the upright picture in pixels';
COMMENT ON COLUMN overheard.recent_sightings.score IS 'How sure the model is, 0 to 1';
COMMENT ON COLUMN overheard.recent_sightings.share IS 'The logo''s share of the picture, 0 to 1';
COMMENT ON COLUMN overheard.recent_sightings.distance IS 'Its distance from the picture''s centre, 0 to 1 in a corner';
COMMENT ON COLUMN overheard.recent_sightings.sharpness IS 'The higher, the sharper';
COMMENT ON COLUMN overheard.recent_sightings.url IS 'Where the picture is';
COMMENT ON COLUMN overheard.recent_sightings.model IS 'The model that saw it';
COMMENT ON COLUMN overheard.recent_sightings.seen_at IS 'When it was seen';
COMMENT ON COLUMN overheard.recent_sightings.evidence IS 'Of the mention: text and picture (both), or the picture alone (image)';
COMMENT ON COLUMN overheard.recent_sightings.label IS 'Of the mention: negative, neutral or positive';
COMMENT ON COLUMN overheard.recent_sightings.polarity IS 'Of the mention: -1 to 1';
COMMENT ON COLUMN overheard.recent_sightings.author IS 'Who posted it; null where settings keep authors out';
COMMENT ON COLUMN overheard.recent_sightings.text IS 'What the post says; null where settings keep texts out';
COMMENT ON COLUMN overheard.recent_sightings.link IS 'Where a person can read it';

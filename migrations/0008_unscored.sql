-- Mentions in languages that no model scores. They are mentions like any other, and count as such, but
-- have no feeling; means and shares of feelings leave them out.
--
-- An older program beside this one goes on writing scored mentions. It can't finish a picture that
-- shows a brand in the post of an unscored mention, so update the processes that look at pictures first.

-- Not validated: every row that is there has all of them, and reading them all would take long.
ALTER TABLE overheard.mentions
    ALTER COLUMN label DROP NOT NULL,
    ALTER COLUMN negative DROP NOT NULL,
    ALTER COLUMN neutral DROP NOT NULL,
    ALTER COLUMN positive DROP NOT NULL,
    ALTER COLUMN polarity DROP NOT NULL,
    ALTER COLUMN model DROP NOT NULL;
ALTER TABLE overheard.mentions ADD CONSTRAINT mentions_scored_check
    CHECK (num_nulls(label, negative, neutral, positive, polarity, model) IN (0, 6)) NOT VALID;

COMMENT ON TABLE overheard.mentions IS 'One row for each post and brand that it names or shows, with what it feels about it';
COMMENT ON COLUMN overheard.mentions.language IS
    'The language that the text was found to be in, by its code of ISO 639; null where that can''t be told';
COMMENT ON COLUMN overheard.mentions.label IS
    'The most probable of negative, neutral and positive; an exact tie is neutral; null where no model scores the language';
COMMENT ON COLUMN overheard.mentions.negative IS 'Probability of negative, 0 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.neutral IS 'Probability of neutral, 0 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.positive IS 'Probability of positive, 0 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.polarity IS 'Positive minus negative, -1 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.model IS 'The model that scored it, with its version; null where label is';

ALTER TABLE overheard.mention_counts
    ADD COLUMN unscored bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT mention_counts_check,
    ADD CONSTRAINT mention_counts_check CHECK (mentions = negative + neutral + positive + unscored) NOT VALID;
ALTER TABLE overheard.evidence_counts
    ADD COLUMN unscored bigint NOT NULL DEFAULT 0,
    DROP CONSTRAINT evidence_counts_check,
    ADD CONSTRAINT evidence_counts_check CHECK (mentions = negative + neutral + positive + unscored) NOT VALID;
ALTER TABLE overheard.alerts ADD COLUMN unscored bigint NOT NULL DEFAULT 0 CHECK (unscored >= 0);

COMMENT ON COLUMN overheard.mention_counts.language IS
    'The language that the texts were found to be in, und where that can''t be told';
COMMENT ON COLUMN overheard.mention_counts.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.mention_counts.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.evidence_counts.language IS
    'The language that the texts were found to be in, und where that can''t be told';
COMMENT ON COLUMN overheard.evidence_counts.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.evidence_counts.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.alerts.value IS
    'Measured when it fired: mentions in the window, or the share of negative ones among those scored';
COMMENT ON COLUMN overheard.alerts.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.alerts.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';

CREATE OR REPLACE VIEW overheard.brand_minutes AS
SELECT brand, minute,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(unscored)::bigint AS unscored
FROM overheard.mention_counts
GROUP BY brand, minute;

COMMENT ON COLUMN overheard.brand_minutes.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_minutes.unscored IS 'Those in a language that no model scores';

CREATE OR REPLACE VIEW overheard.brand_hours AS
SELECT brand, date_trunc('hour', minute, 'UTC') AS hour,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(unscored)::bigint AS unscored
FROM overheard.mention_counts
GROUP BY brand, date_trunc('hour', minute, 'UTC');

COMMENT ON COLUMN overheard.brand_hours.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_hours.unscored IS 'Those in a language that no model scores';

CREATE OR REPLACE VIEW overheard.brand_evidence_minutes AS
SELECT brand, minute, evidence,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(sightings)::bigint AS sightings,
       sum(unscored)::bigint AS unscored
FROM (
    SELECT brand, minute, evidence, mentions, negative, neutral, positive, unscored, polarity_sum, sightings
    FROM overheard.evidence_counts
    UNION ALL
    SELECT brand, minute, 'text', mentions, negative, neutral, positive, unscored, polarity_sum, 0
    FROM overheard.mention_counts
    UNION ALL
    SELECT brand, minute, 'text', -mentions, -negative, -neutral, -positive, -unscored, -polarity_sum, 0
    FROM overheard.evidence_counts
) counted
GROUP BY brand, minute, evidence
HAVING sum(mentions) > 0;

COMMENT ON COLUMN overheard.brand_evidence_minutes.polarity IS
    'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_evidence_minutes.unscored IS 'Those in a language that no model scores';

CREATE OR REPLACE VIEW overheard.brand_evidence_hours AS
SELECT brand, date_trunc('hour', minute, 'UTC') AS hour, evidence,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(sightings)::bigint AS sightings,
       sum(unscored)::bigint AS unscored
FROM (
    SELECT brand, minute, evidence, mentions, negative, neutral, positive, unscored, polarity_sum, sightings
    FROM overheard.evidence_counts
    UNION ALL
    SELECT brand, minute, 'text', mentions, negative, neutral, positive, unscored, polarity_sum, 0
    FROM overheard.mention_counts
    UNION ALL
    SELECT brand, minute, 'text', -mentions, -negative, -neutral, -positive, -unscored, -polarity_sum, 0
    FROM overheard.evidence_counts
) counted
GROUP BY brand, date_trunc('hour', minute, 'UTC'), evidence
HAVING sum(mentions) > 0;

COMMENT ON COLUMN overheard.brand_evidence_hours.polarity IS
    'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_evidence_hours.unscored IS 'Those in a language that no model scores';

COMMENT ON COLUMN overheard.recent_mentions.language IS
    'The language that the text was found to be in; null where that can''t be told';
COMMENT ON COLUMN overheard.recent_mentions.label IS
    'negative, neutral or positive; null, with the rest of the score, where no model scores the language';
COMMENT ON COLUMN overheard.recent_mentions.model IS 'The model that scored it; null where label is';
COMMENT ON COLUMN overheard.recent_sightings.label IS
    'Of the mention: negative, neutral or positive; null where no model scores its language';
COMMENT ON COLUMN overheard.recent_sightings.polarity IS 'Of the mention: -1 to 1; null where label is';

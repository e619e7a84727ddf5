-- Logos seen in posts' pictures, and by what a mention is known: text, picture, or both.
--
-- What is written here is told apart from what an older program writes: its mentions are by text,
-- which is the default, and counts by text are what mention_counts has beyond evidence_counts.

CREATE TABLE overheard.sightings (
    source         text        NOT NULL,
    post_id        text        NOT NULL,
    created_at     timestamptz NOT NULL,
    position       smallint    NOT NULL CHECK (position >= 0),
    brand          text        NOT NULL CHECK (brand <> ''),
    number         smallint    NOT NULL CHECK (number >= 0),
    url            text        NOT NULL,
    picture_width  integer     NOT NULL CHECK (picture_width > 0),
    picture_height integer     NOT NULL CHECK (picture_height > 0),
    x              real        NOT NULL,
    y              real        NOT NULL,
    width          real        NOT NULL CHECK (width >= 0),
    height         real        NOT NULL CHECK (height >= 0),
    score          real        NOT NULL CHECK (score BETWEEN 0 AND 1),
    share          real        NOT NULL CHECK (share BETWEEN 0 AND 1),
    distance       real        NOT NULL CHECK (distance BETWEEN 0 AND 1),
    sharpness      real        NOT NULL CHECK (sharpness >= 0),
    model          text        NOT NULL,
    received_at    timestamptz NOT NULL,
    seen_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, post_id, created_at, position, brand, number)
) PARTITION BY RANGE (created_at);

CREATE TABLE overheard.sightings_default PARTITION OF overheard.sightings DEFAULT;

CREATE INDEX sightings_created_at ON overheard.sightings USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX sightings_brand ON overheard.sightings (brand, created_at DESC);

COMMENT ON TABLE overheard.sightings IS 'One row for each logo seen in a picture of a post';
COMMENT ON COLUMN overheard.sightings.source IS 'The post''s network';
COMMENT ON COLUMN overheard.sightings.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.sightings.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.sightings.position IS 'Which of the post''s pictures it is in, from 0';
COMMENT ON COLUMN overheard.sightings.brand IS 'The brand''s id in config/brands.toml';
COMMENT ON COLUMN overheard.sightings.number IS 'Which of the brand''s logos in that picture it is, from 0';
COMMENT ON COLUMN overheard.sightings.url IS 'Where the picture is';
COMMENT ON COLUMN overheard.sightings.picture_width IS 'Width of the upright picture in pixels';
COMMENT ON COLUMN overheard.sightings.picture_height IS 'Height of the upright picture in pixels';
COMMENT ON COLUMN overheard.sightings.x IS 'Left edge of the logo in pixels';
COMMENT ON COLUMN overheard.sightings.y IS 'Upper edge of the logo in pixels, from the top';
COMMENT ON COLUMN overheard.sightings.width IS 'Width of the logo in pixels';
COMMENT ON COLUMN overheard.sightings.height IS 'Height of the logo in pixels';
COMMENT ON COLUMN overheard.sightings.score IS 'How sure the model is, 0 to 1';
COMMENT ON COLUMN overheard.sightings.share IS 'Prominence: the logo''s share of the picture, 0 to 1';
COMMENT ON COLUMN overheard.sightings.distance IS 'Prominence: its distance from the centre, 0 to 1 in a corner';
COMMENT ON COLUMN overheard.sightings.sharpness IS 'Prominence: variance of the Laplacian of its luminance; the higher, the sharper';
COMMENT ON COLUMN overheard.sightings.model IS 'The model that saw it, with its version';
COMMENT ON COLUMN overheard.sightings.received_at IS 'When the post was read from Kafka';
COMMENT ON COLUMN overheard.sightings.seen_at IS 'When the row was written';
COMMENT ON TABLE overheard.sightings_default IS 'Sightings whose post''s claimed time is outside every day partition';

-- Not validated: every row that is there has the default, and reading them all would take long.
ALTER TABLE overheard.mentions ADD COLUMN evidence text NOT NULL DEFAULT 'text';
ALTER TABLE overheard.mentions ADD CONSTRAINT mentions_evidence_check
    CHECK (evidence IN ('text', 'image', 'both')) NOT VALID;

COMMENT ON COLUMN overheard.mentions.evidence IS
    'How the post mentions the brand: text names it, image shows its logo, both do';

CREATE TABLE overheard.evidence_counts (
    brand        text             NOT NULL,
    minute       timestamptz      NOT NULL,
    source       text             NOT NULL,
    language     text             NOT NULL,
    evidence     text             NOT NULL CHECK (evidence IN ('image', 'both')),
    mentions     bigint           NOT NULL,
    negative     bigint           NOT NULL,
    neutral      bigint           NOT NULL,
    positive     bigint           NOT NULL,
    polarity_sum double precision NOT NULL,
    sightings    bigint           NOT NULL,
    PRIMARY KEY (brand, minute, source, language, evidence),
    CHECK (mentions = negative + neutral + positive)
) WITH (fillfactor = 75);

CREATE INDEX evidence_counts_minute ON overheard.evidence_counts USING brin (minute) WITH (autosummarize = on);

COMMENT ON TABLE overheard.evidence_counts IS
    'Of the mentions in mention_counts, those that a picture shows, by evidence; the others are by text alone';
COMMENT ON COLUMN overheard.evidence_counts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.evidence_counts.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.evidence_counts.source IS 'The posts'' network';
COMMENT ON COLUMN overheard.evidence_counts.language IS 'The posts'' language, und where unknown';
COMMENT ON COLUMN overheard.evidence_counts.evidence IS 'image: only a picture shows the brand; both: the text names it too';
COMMENT ON COLUMN overheard.evidence_counts.mentions IS 'All such mentions';
COMMENT ON COLUMN overheard.evidence_counts.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.evidence_counts.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.evidence_counts.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.evidence_counts.polarity_sum IS 'Sum of polarities; divided by mentions it is the mean';
COMMENT ON COLUMN overheard.evidence_counts.sightings IS 'Logos seen in the pictures of these posts';

ALTER TABLE overheard.alerts ADD COLUMN sightings bigint NOT NULL DEFAULT 0 CHECK (sightings >= 0);

COMMENT ON COLUMN overheard.alerts.sightings IS 'Logos seen in pictures of posts in the window when it fired';

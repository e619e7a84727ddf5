-- Pictures still to be looked at, and what is known of those that were.
--
-- The list of work is written with the posts and emptied by whoever looks at pictures. A row lives
-- through an insert, an update for each lease, and a delete, so vacuum comes by often.

CREATE TABLE overheard.picture_work (
    source      text        NOT NULL,
    post_id     text        NOT NULL,
    created_at  timestamptz NOT NULL,
    position    smallint    NOT NULL CHECK (position >= 0),
    url         text        NOT NULL,
    host        text        NOT NULL,
    due_at      timestamptz NOT NULL DEFAULT now(),
    leased      boolean     NOT NULL DEFAULT false,
    attempts    integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    put_off_for text,
    listed_at   timestamptz NOT NULL DEFAULT now(),
    received_at timestamptz NOT NULL,
    kind        text        NOT NULL,
    author      text,
    text        text        NOT NULL,
    link        text,
    language    text,
    reach       bigint,
    named       text[]      NOT NULL,
    PRIMARY KEY (source, post_id, created_at, position)
) WITH (
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.0,
    autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_analyze_scale_factor = 0.1
);

CREATE INDEX picture_work_due ON overheard.picture_work (host, due_at);
CREATE INDEX picture_work_listed_at ON overheard.picture_work (listed_at);

COMMENT ON TABLE overheard.picture_work IS
    'Pictures still to be looked at, one row each; the row goes when that is done';
COMMENT ON COLUMN overheard.picture_work.source IS 'The post''s network';
COMMENT ON COLUMN overheard.picture_work.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.picture_work.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.picture_work.position IS 'Which of the post''s pictures it is, from 0';
COMMENT ON COLUMN overheard.picture_work.url IS 'Where the picture is';
COMMENT ON COLUMN overheard.picture_work.host IS 'The host in that address, so that no host takes all workers; - where there is none';
COMMENT ON COLUMN overheard.picture_work.due_at IS 'Not to be taken before: the end of its lease while leased, else what it was put off to';
COMMENT ON COLUMN overheard.picture_work.leased IS 'Whether a process is, or was, looking at it until due_at';
COMMENT ON COLUMN overheard.picture_work.attempts IS 'How often it was taken; also what tells an old lease from a new one';
COMMENT ON COLUMN overheard.picture_work.put_off_for IS 'Why it was last put off; null where it never was';
COMMENT ON COLUMN overheard.picture_work.listed_at IS 'When the row was written';
COMMENT ON COLUMN overheard.picture_work.received_at IS 'When the post was read from Kafka';
COMMENT ON COLUMN overheard.picture_work.kind IS 'The post: original, reply, repost or quote';
COMMENT ON COLUMN overheard.picture_work.author IS 'The post: who posted it; null where settings keep authors out';
COMMENT ON COLUMN overheard.picture_work.text IS
    'The post: what it says, kept until its pictures were looked at, whatever settings say of texts';
COMMENT ON COLUMN overheard.picture_work.link IS 'The post: where a person can read it';
COMMENT ON COLUMN overheard.picture_work.language IS 'The post: the language that its client claims';
COMMENT ON COLUMN overheard.picture_work.reach IS 'The post: how many people it may have reached';
COMMENT ON COLUMN overheard.picture_work.named IS 'Ids of the brands that the post''s text names';

-- An address may be longer than an index entry can be, so its hash is the key.
CREATE TABLE overheard.media (
    url_sha256     bytea       PRIMARY KEY CHECK (octet_length(url_sha256) = 32),
    url            text        NOT NULL,
    outcome        text        NOT NULL CHECK (outcome IN ('fetched', 'refused', 'failed', 'undecodable')),
    reason         text,
    looked_at      timestamptz NOT NULL DEFAULT now(),
    content_sha256 bytea       CHECK (octet_length(content_sha256) = 32),
    perceptual     bigint,
    bytes          bigint      CHECK (bytes >= 0),
    width          integer     CHECK (width > 0),
    height         integer     CHECK (height > 0),
    model          text,
    detections     jsonb,
    CHECK ((outcome = 'fetched') = (model IS NOT NULL AND detections IS NOT NULL AND width IS NOT NULL AND height IS NOT NULL)),
    CHECK ((outcome = 'fetched') = (reason IS NULL))
);

CREATE INDEX media_content ON overheard.media (content_sha256) WHERE content_sha256 IS NOT NULL;
-- Two hashes that differ in four bits at most are equal in one of five parts. Each part has numbers
-- of its own.
CREATE INDEX media_perceptual_parts ON overheard.media USING gin ((ARRAY[
    perceptual & 8191, (perceptual >> 13 & 8191) + 8192, (perceptual >> 26 & 8191) + 16384,
    (perceptual >> 39 & 8191) + 24576, (perceptual >> 52 & 4095) + 32768])) WHERE perceptual IS NOT NULL;
CREATE INDEX media_looked_at ON overheard.media (looked_at);

COMMENT ON TABLE overheard.media IS
    'The memory of pictures that were looked at, one row an address, so that none is looked at twice';
COMMENT ON COLUMN overheard.media.url_sha256 IS 'SHA-256 of the address';
COMMENT ON COLUMN overheard.media.url IS 'Where the picture is';
COMMENT ON COLUMN overheard.media.outcome IS
    'fetched: it was looked at. refused: the address is not let through. failed: it can''t be had. undecodable: it is no picture';
COMMENT ON COLUMN overheard.media.reason IS 'Why it was not looked at; null where it was';
COMMENT ON COLUMN overheard.media.looked_at IS 'When that was last found out';
COMMENT ON COLUMN overheard.media.content_sha256 IS 'SHA-256 of the file; null where there is none';
COMMENT ON COLUMN overheard.media.perceptual IS 'Perceptual hash, 64 bits; null where there is no picture, or it is too plain';
COMMENT ON COLUMN overheard.media.bytes IS 'Size of the file';
COMMENT ON COLUMN overheard.media.width IS 'Width of the upright picture in pixels';
COMMENT ON COLUMN overheard.media.height IS 'Height of the upright picture in pixels';
COMMENT ON COLUMN overheard.media.model IS 'The model that looked at it, with its version';
COMMENT ON COLUMN overheard.media.detections IS
    'The logos that it reports, of all brands that the model knows: class, x, y, width, height in pixels, score, share, distance, sharpness';

-- The schema, in sections: posts, identity, mentions, counts, sightings, pictures, alerts, views.
--
-- Posts, mentions and sightings are partitioned by the day of `created_at`, which is what a post's
-- client claims: it may be 1970 or next year. Such rows land in the default partitions. The daemon
-- makes day partitions ahead and moves rows over that the default partition already holds.
--
-- Text in keys is sorted by bytes, as the program sorts it: whoever locks several rows takes them in
-- one order, whatever the locale of the database.


-- Posts

CREATE TABLE overheard.posts (
    source      text COLLATE "C" NOT NULL CHECK (source <> ''),
    id          text COLLATE "C" NOT NULL CHECK (id <> ''),
    created_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('original', 'reply', 'repost', 'quote')),
    author      text,
    text        text,
    link        text,
    languages   text[]      NOT NULL,
    reach       bigint      CHECK (reach >= 0),
    links       text[],
    hashtags    text[],
    hosts       text[],
    PRIMARY KEY (source, id, created_at)
) PARTITION BY RANGE (created_at);

CREATE TABLE overheard.posts_default PARTITION OF overheard.posts DEFAULT;

CREATE INDEX posts_created_at ON overheard.posts USING brin (created_at) WITH (autosummarize = on);

COMMENT ON TABLE overheard.posts IS
    'Posts that name a brand (or all posts, if the configuration says so), one row each';
COMMENT ON COLUMN overheard.posts.source IS 'The network it was posted on, such as bluesky';
COMMENT ON COLUMN overheard.posts.id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.posts.created_at IS 'When its client claims to have made it: any time at all';
COMMENT ON COLUMN overheard.posts.received_at IS 'When it was read from Kafka';
COMMENT ON COLUMN overheard.posts.kind IS 'original, reply, repost or quote';
COMMENT ON COLUMN overheard.posts.author IS 'Who posted it; null where settings keep authors out';
COMMENT ON COLUMN overheard.posts.text IS 'What it says; null where settings keep texts out';
COMMENT ON COLUMN overheard.posts.link IS 'Where a person can read it; null where settings keep authors out, since it names them';
COMMENT ON COLUMN overheard.posts.languages IS 'The languages that its client claims, in its order, BCP 47 tags in lower case';
COMMENT ON COLUMN overheard.posts.reach IS 'How many people it may have reached, where the format says';
COMMENT ON COLUMN overheard.posts.links IS 'The addresses that it links to; null where settings keep texts out';
COMMENT ON COLUMN overheard.posts.hashtags IS 'Its hashtags in lower case, without #; null where settings keep texts out';
COMMENT ON COLUMN overheard.posts.hosts IS 'The hosts of its links, without www.; null where settings keep texts out';
COMMENT ON TABLE overheard.posts_default IS 'Posts whose claimed time is outside every day partition';


-- Identity: (source, id) names a post once and for all. Whatever time a delivery or an edit claims,
-- the rows of a post are where this table says.

CREATE TABLE overheard.post_states (
    source     text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    state      text        NOT NULL CHECK (state IN ('present', 'edited', 'removed')),
    version    timestamptz NOT NULL,
    created_at timestamptz,
    author_key bytea       CHECK (octet_length(author_key) = 16),
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, id),
    CHECK (state <> 'removed' OR (created_at IS NULL AND author_key IS NULL))
);

CREATE INDEX post_states_author ON overheard.post_states (author_key) WHERE author_key IS NOT NULL;
CREATE INDEX post_states_changed_at ON overheard.post_states USING brin (changed_at) WITH (autosummarize = on);

COMMENT ON TABLE overheard.post_states IS
    'What is known of a post by its identity: where its rows are, whose it is, and whether it was edited or removed';
COMMENT ON COLUMN overheard.post_states.source IS 'The post''s network';
COMMENT ON COLUMN overheard.post_states.id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.post_states.state IS
    'present: as first delivered; edited: replaced by a later version; removed: taken away, and never stored again while this row stands';
COMMENT ON COLUMN overheard.post_states.version IS 'When the network says that this version, or the removal, was made';
COMMENT ON COLUMN overheard.post_states.created_at IS 'The claimed time that the post''s rows have; null where it has none';
COMMENT ON COLUMN overheard.post_states.author_key IS 'The author''s pseudonym; null where none is known';
COMMENT ON COLUMN overheard.post_states.changed_at IS 'When this row was written';

CREATE TABLE overheard.removed_accounts (
    author_key bytea       PRIMARY KEY CHECK (octet_length(author_key) = 16),
    removed_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE overheard.removed_accounts IS
    'Accounts that were deleted, taken down, suspended or deactivated: their posts up to then are not stored';
COMMENT ON COLUMN overheard.removed_accounts.author_key IS 'The account''s pseudonym';
COMMENT ON COLUMN overheard.removed_accounts.removed_at IS 'When the network says that it happened';
COMMENT ON COLUMN overheard.removed_accounts.changed_at IS 'When this row was written';


-- Mentions

CREATE TABLE overheard.mentions (
    source      text COLLATE "C" NOT NULL,
    post_id     text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL,
    brand       text COLLATE "C" NOT NULL CHECK (brand <> ''),
    query       text COLLATE "C" NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('original', 'reply', 'repost', 'quote')),
    evidence    text        NOT NULL CHECK (evidence IN ('text', 'image', 'both')),
    language    text,
    label       text        CHECK (label IN ('negative', 'neutral', 'positive')),
    negative    real        CHECK (negative BETWEEN 0 AND 1),
    neutral     real        CHECK (neutral BETWEEN 0 AND 1),
    positive    real        CHECK (positive BETWEEN 0 AND 1),
    polarity    real        CHECK (polarity BETWEEN -1 AND 1),
    model       text,
    spans       int4range[] NOT NULL,
    received_at timestamptz NOT NULL,
    muted_by    bigint,
    PRIMARY KEY (source, post_id, created_at, brand),
    CONSTRAINT mentions_scored_check
        CHECK (num_nulls(label, negative, neutral, positive, polarity, model) IN (0, 6))
) PARTITION BY RANGE (created_at);

CREATE TABLE overheard.mentions_default PARTITION OF overheard.mentions DEFAULT;

CREATE INDEX mentions_created_at ON overheard.mentions USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX mentions_brand ON overheard.mentions (brand, created_at DESC);
CREATE INDEX mentions_muted ON overheard.mentions (muted_by, created_at) WHERE muted_by IS NOT NULL;

COMMENT ON TABLE overheard.mentions IS
    'One row for each post and brand that it names or shows, with what it feels about it';
COMMENT ON COLUMN overheard.mentions.source IS 'The post''s network';
COMMENT ON COLUMN overheard.mentions.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.mentions.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.mentions.brand IS 'The brand''s id in config/brands.toml';
COMMENT ON COLUMN overheard.mentions.query IS 'The version of the brand''s query by which it was found: brand_queries has its text';
COMMENT ON COLUMN overheard.mentions.kind IS 'The post''s kind: original, reply, repost or quote';
COMMENT ON COLUMN overheard.mentions.evidence IS
    'How the post mentions the brand: text names it, image shows its logo, both do';
COMMENT ON COLUMN overheard.mentions.language IS
    'The language that the text was found to be in, by its code of ISO 639; null where that can''t be told';
COMMENT ON COLUMN overheard.mentions.label IS
    'The most probable of negative, neutral and positive; an exact tie is neutral; null where no model scores the language';
COMMENT ON COLUMN overheard.mentions.negative IS 'Probability of negative, 0 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.neutral IS 'Probability of neutral, 0 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.positive IS 'Probability of positive, 0 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.polarity IS 'Positive minus negative, -1 to 1; null where label is';
COMMENT ON COLUMN overheard.mentions.model IS 'The model that scored it, with its version; null where label is';
COMMENT ON COLUMN overheard.mentions.spans IS
    'Where the text names the brand: half-open ranges of byte offsets into its UTF-8 form; empty where only a link or tag names it';
COMMENT ON COLUMN overheard.mentions.received_at IS 'When the post was read from Kafka';
COMMENT ON COLUMN overheard.mentions.muted_by IS
    'The mute that hides it: it is in no count, view or alert; null where none does';
COMMENT ON TABLE overheard.mentions_default IS 'Mentions whose claimed time is outside every day partition';

-- One number for each change of the mutes, so that whoever knows the last one need not read them.
CREATE SEQUENCE overheard.mute_generations;

CREATE TABLE overheard.mutes (
    id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind        text        NOT NULL CHECK (kind IN ('author', 'host', 'phrase', 'source')),
    source      text COLLATE "C",
    author_keys bytea[],
    subject     text,
    brand       text COLLATE "C",
    since       timestamptz,
    added_at    timestamptz NOT NULL DEFAULT now(),
    added_by    text        NOT NULL,
    note        text,
    removed_at  timestamptz,
    removed_by  text,
    generation  bigint      NOT NULL DEFAULT nextval('overheard.mute_generations'),
    swept       boolean     NOT NULL DEFAULT false,
    CHECK ((kind IN ('author', 'source')) = (source IS NOT NULL)),
    CHECK ((kind IN ('host', 'phrase')) = (subject IS NOT NULL)),
    CHECK ((kind = 'author' AND removed_at IS NULL) = (author_keys IS NOT NULL)),
    CHECK ((removed_at IS NULL) = (removed_by IS NULL))
);

COMMENT ON TABLE overheard.mutes IS
    'What is hidden from all figures; a mute that was removed keeps its row, without the author';
COMMENT ON COLUMN overheard.mutes.id IS 'Its number, which the mentions carry that it hides';
COMMENT ON COLUMN overheard.mutes.kind IS 'What it hides by: author, host, phrase or source';
COMMENT ON COLUMN overheard.mutes.source IS 'The network, of authors and sources';
COMMENT ON COLUMN overheard.mutes.author_keys IS 'The author''s pseudonyms, by the current key and earlier ones';
COMMENT ON COLUMN overheard.mutes.subject IS 'The host or the phrase';
COMMENT ON COLUMN overheard.mutes.brand IS 'The only brand whose mentions it hides; null for all';
COMMENT ON COLUMN overheard.mutes.since IS 'Posts that claim an earlier time are not hidden; null for all';
COMMENT ON COLUMN overheard.mutes.added_at IS 'When it was added';
COMMENT ON COLUMN overheard.mutes.added_by IS 'By whom';
COMMENT ON COLUMN overheard.mutes.note IS 'Why';
COMMENT ON COLUMN overheard.mutes.removed_at IS 'When it was removed; null while it is in force';
COMMENT ON COLUMN overheard.mutes.removed_by IS 'By whom';
COMMENT ON COLUMN overheard.mutes.generation IS 'The number of its latest change';
COMMENT ON COLUMN overheard.mutes.swept IS 'Whether the mentions that were stored before that change are in line with it';

CREATE TABLE overheard.brand_queries (
    brand         text COLLATE "C" NOT NULL,
    version       text COLLATE "C" NOT NULL,
    definition    text        NOT NULL,
    first_used_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (brand, version)
);

COMMENT ON TABLE overheard.brand_queries IS 'What the versions of brands'' queries stand for';
COMMENT ON COLUMN overheard.brand_queries.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_queries.version IS 'The version, a hash of the definition';
COMMENT ON COLUMN overheard.brand_queries.definition IS 'The lines of the brand''s table in the file of brands that decide what mentions it';
COMMENT ON COLUMN overheard.brand_queries.first_used_at IS 'When a daemon first listened by it';


-- Counts

-- Updated in place for every batch: the free space keeps updates on their page and off the index.
CREATE TABLE overheard.mention_counts (
    brand        text COLLATE "C" NOT NULL,
    minute       timestamptz      NOT NULL,
    source       text COLLATE "C" NOT NULL,
    language     text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('original', 'reply', 'repost', 'quote')),
    evidence     text COLLATE "C" NOT NULL CHECK (evidence IN ('text', 'image', 'both')),
    mentions     bigint           NOT NULL,
    negative     bigint           NOT NULL,
    neutral      bigint           NOT NULL,
    positive     bigint           NOT NULL,
    unscored     bigint           NOT NULL,
    polarity_sum double precision NOT NULL,
    sightings    bigint           NOT NULL,
    PRIMARY KEY (brand, minute, source, language, kind, evidence),
    CHECK (mentions = negative + neutral + positive + unscored)
) WITH (fillfactor = 75);

CREATE INDEX mention_counts_minute ON overheard.mention_counts USING brin (minute) WITH (autosummarize = on);

COMMENT ON TABLE overheard.mention_counts IS
    'Mentions and logos seen, counted by brand, minute, network, language, kind of post and evidence, in the transactions that change them';
COMMENT ON COLUMN overheard.mention_counts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.mention_counts.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.mention_counts.source IS 'The posts'' network';
COMMENT ON COLUMN overheard.mention_counts.language IS
    'The language that the texts were found to be in, und where that can''t be told';
COMMENT ON COLUMN overheard.mention_counts.kind IS 'The posts'' kind: original, reply, repost or quote';
COMMENT ON COLUMN overheard.mention_counts.evidence IS 'text: the text names the brand; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.mention_counts.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.mention_counts.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.mention_counts.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.mention_counts.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.mention_counts.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.mention_counts.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.mention_counts.sightings IS 'Logos seen in the pictures of these posts';


-- The same by hour: a dashboard reads a year of hours, not of minutes.
CREATE TABLE overheard.mention_hours (
    brand        text COLLATE "C" NOT NULL,
    hour         timestamptz      NOT NULL,
    source       text COLLATE "C" NOT NULL,
    language     text COLLATE "C" NOT NULL,
    kind         text COLLATE "C" NOT NULL CHECK (kind IN ('original', 'reply', 'repost', 'quote')),
    evidence     text COLLATE "C" NOT NULL CHECK (evidence IN ('text', 'image', 'both')),
    mentions     bigint           NOT NULL,
    negative     bigint           NOT NULL,
    neutral      bigint           NOT NULL,
    positive     bigint           NOT NULL,
    unscored     bigint           NOT NULL,
    polarity_sum double precision NOT NULL,
    sightings    bigint           NOT NULL,
    PRIMARY KEY (brand, hour, source, language, kind, evidence),
    CHECK (mentions = negative + neutral + positive + unscored)
) WITH (fillfactor = 75);

CREATE INDEX mention_hours_hour ON overheard.mention_hours USING brin (hour) WITH (autosummarize = on);

COMMENT ON TABLE overheard.mention_hours IS
    'The counts of mention_counts by hour, kept in the same transactions';
COMMENT ON COLUMN overheard.mention_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.mention_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.mention_hours.source IS 'The posts'' network';
COMMENT ON COLUMN overheard.mention_hours.language IS
    'The language that the texts were found to be in, und where that can''t be told';
COMMENT ON COLUMN overheard.mention_hours.kind IS 'The posts'' kind: original, reply, repost or quote';
COMMENT ON COLUMN overheard.mention_hours.evidence IS 'text: the text names the brand; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.mention_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.mention_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.mention_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.mention_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.mention_hours.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.mention_hours.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.mention_hours.sightings IS 'Logos seen in the pictures of these posts';


-- The same without network, language and kind, by hour and by day. Their size follows from brands and
-- time, however many mentions there are, so that months of all brands can be read at once.
CREATE TABLE overheard.evidence_hours (
    brand        text COLLATE "C" NOT NULL,
    hour         timestamptz      NOT NULL,
    evidence     text COLLATE "C" NOT NULL CHECK (evidence IN ('text', 'image', 'both')),
    mentions     bigint           NOT NULL,
    negative     bigint           NOT NULL,
    neutral      bigint           NOT NULL,
    positive     bigint           NOT NULL,
    unscored     bigint           NOT NULL,
    polarity_sum double precision NOT NULL,
    sightings    bigint           NOT NULL,
    PRIMARY KEY (brand, hour, evidence),
    CHECK (mentions = negative + neutral + positive + unscored)
) WITH (fillfactor = 75);

CREATE INDEX evidence_hours_hour ON overheard.evidence_hours USING brin (hour) WITH (autosummarize = on);

COMMENT ON TABLE overheard.evidence_hours IS
    'The counts of mention_hours by brand, hour and evidence alone, kept in the same transactions';
COMMENT ON COLUMN overheard.evidence_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.evidence_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.evidence_hours.evidence IS 'text: the text names the brand; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.evidence_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.evidence_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.evidence_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.evidence_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.evidence_hours.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.evidence_hours.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.evidence_hours.sightings IS 'Logos seen in the pictures of these posts';


CREATE TABLE overheard.evidence_days (
    brand        text COLLATE "C" NOT NULL,
    day          timestamptz      NOT NULL,
    evidence     text COLLATE "C" NOT NULL CHECK (evidence IN ('text', 'image', 'both')),
    mentions     bigint           NOT NULL,
    negative     bigint           NOT NULL,
    neutral      bigint           NOT NULL,
    positive     bigint           NOT NULL,
    unscored     bigint           NOT NULL,
    polarity_sum double precision NOT NULL,
    sightings    bigint           NOT NULL,
    PRIMARY KEY (brand, day, evidence),
    CHECK (mentions = negative + neutral + positive + unscored)
) WITH (fillfactor = 75);

CREATE INDEX evidence_days_day ON overheard.evidence_days USING brin (day) WITH (autosummarize = on);

COMMENT ON TABLE overheard.evidence_days IS
    'The counts of evidence_hours by day, kept in the same transactions';
COMMENT ON COLUMN overheard.evidence_days.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.evidence_days.day IS 'The UTC day of the posts'' claimed time, as the instant at which it begins';
COMMENT ON COLUMN overheard.evidence_days.evidence IS 'text: the text names the brand; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.evidence_days.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.evidence_days.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.evidence_days.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.evidence_days.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.evidence_days.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.evidence_days.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.evidence_days.sightings IS 'Logos seen in the pictures of these posts';


-- Authors by day and topics by hour, kept in the same transactions. A removal subtracts from them.
CREATE TABLE overheard.author_days (
    brand      text COLLATE "C" NOT NULL,
    day        date   NOT NULL,
    author_key bytea  NOT NULL CHECK (octet_length(author_key) = 16),
    mentions   bigint NOT NULL,
    PRIMARY KEY (brand, day, author_key)
);

CREATE INDEX author_days_day ON overheard.author_days USING brin (day) WITH (autosummarize = on);

COMMENT ON TABLE overheard.author_days IS 'Who mentioned a brand on a day, by pseudonym';
COMMENT ON COLUMN overheard.author_days.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.author_days.day IS 'The UTC day of the posts'' claimed time';
COMMENT ON COLUMN overheard.author_days.author_key IS 'The author''s pseudonym';
COMMENT ON COLUMN overheard.author_days.mentions IS 'Mentions by this author';

CREATE TABLE overheard.topic_hours (
    brand    text COLLATE "C" NOT NULL,
    kind     text COLLATE "C" NOT NULL CHECK (kind IN ('link', 'hashtag', 'host')),
    hour     timestamptz NOT NULL,
    topic    text COLLATE "C" NOT NULL,
    mentions bigint      NOT NULL,
    PRIMARY KEY (brand, kind, hour, topic)
);

CREATE INDEX topic_hours_hour ON overheard.topic_hours USING brin (hour) WITH (autosummarize = on);

COMMENT ON TABLE overheard.topic_hours IS 'Links, hashtags and hosts in posts that mention a brand, by hour';
COMMENT ON COLUMN overheard.topic_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.topic_hours.kind IS 'link, hashtag or host';
COMMENT ON COLUMN overheard.topic_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.topic_hours.topic IS
    'The full address; the hashtag in lower case, without #; the host without www.';
COMMENT ON COLUMN overheard.topic_hours.mentions IS 'Mentions in posts that have it';


-- Sightings

CREATE TABLE overheard.sightings (
    source         text COLLATE "C" NOT NULL,
    post_id        text COLLATE "C" NOT NULL,
    created_at     timestamptz NOT NULL,
    position       smallint    NOT NULL CHECK (position >= 0),
    brand          text COLLATE "C" NOT NULL CHECK (brand <> ''),
    number         smallint    NOT NULL CHECK (number >= 0),
    url            text,
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
COMMENT ON COLUMN overheard.sightings.url IS 'Where the picture is; null where settings keep authors out';
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


-- Pictures

-- One number for each lease ever given: a row that was removed and comes again must not be mistaken
-- for the one that an old lease was for.
CREATE SEQUENCE overheard.picture_leases;

-- A row lives through an insert, an update for each lease, and a delete, so vacuum comes by often.
CREATE TABLE overheard.picture_queue (
    source      text COLLATE "C" NOT NULL,
    post_id     text COLLATE "C" NOT NULL,
    created_at  timestamptz NOT NULL,
    position    smallint    NOT NULL CHECK (position >= 0),
    url         text        NOT NULL,
    host        text COLLATE "C" NOT NULL,
    due_at      timestamptz NOT NULL DEFAULT now(),
    ready       boolean     NOT NULL DEFAULT true,
    leased      boolean     NOT NULL DEFAULT false,
    lease       bigint      NOT NULL DEFAULT 0,
    attempts    integer     NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    put_off_for text,
    listed_at   timestamptz NOT NULL DEFAULT now(),
    received_at timestamptz NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('original', 'reply', 'repost', 'quote')),
    author      text,
    author_key  bytea       CHECK (octet_length(author_key) = 16),
    version     timestamptz NOT NULL,
    text        text        NOT NULL,
    link        text,
    languages   text[]      NOT NULL,
    reach       bigint      CHECK (reach >= 0),
    links       text[]      NOT NULL,
    hashtags    text[]      NOT NULL,
    named       text[]      NOT NULL,
    PRIMARY KEY (source, post_id, position)
) WITH (
    autovacuum_vacuum_scale_factor = 0.0,
    autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_insert_scale_factor = 0.0,
    autovacuum_vacuum_insert_threshold = 10000,
    autovacuum_analyze_scale_factor = 0.1
);

CREATE INDEX picture_queue_author ON overheard.picture_queue (author_key) WHERE author_key IS NOT NULL;
-- Leasing steps from host to host, but only over those that have something ready. Rows whose time has
-- come become ready first.
CREATE INDEX picture_queue_ready ON overheard.picture_queue (host, due_at) WHERE ready;
CREATE INDEX picture_queue_not_ready ON overheard.picture_queue (due_at) WHERE NOT ready;
CREATE INDEX picture_queue_listed_at ON overheard.picture_queue (listed_at);

COMMENT ON TABLE overheard.picture_queue IS
    'The queue of pictures to look at, one row each; the row goes when that is done';
COMMENT ON COLUMN overheard.picture_queue.source IS 'The post''s network';
COMMENT ON COLUMN overheard.picture_queue.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.picture_queue.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.picture_queue.position IS 'Which of the post''s pictures it is, from 0';
COMMENT ON COLUMN overheard.picture_queue.url IS 'Where the picture is';
COMMENT ON COLUMN overheard.picture_queue.host IS 'The host in that address, so that no host takes all workers; - where there is none';
COMMENT ON COLUMN overheard.picture_queue.due_at IS 'Not to be taken before: the end of its lease while leased, else what it was put off to';
COMMENT ON COLUMN overheard.picture_queue.ready IS 'Whether it may be taken; false while leased or put off, until somebody finds due_at in the past';
COMMENT ON COLUMN overheard.picture_queue.leased IS 'Whether a process is, or was, looking at it until due_at';
COMMENT ON COLUMN overheard.picture_queue.lease IS 'The number of the latest lease, which tells it from older ones; 0 before the first';
COMMENT ON COLUMN overheard.picture_queue.attempts IS 'How often it was taken without coming to a result, the lease at hand included';
COMMENT ON COLUMN overheard.picture_queue.put_off_for IS 'Why it was last put off; null where it never was';
COMMENT ON COLUMN overheard.picture_queue.listed_at IS 'When the row was written';
COMMENT ON COLUMN overheard.picture_queue.received_at IS 'When the post was read from Kafka';
COMMENT ON COLUMN overheard.picture_queue.kind IS 'The post: original, reply, repost or quote';
COMMENT ON COLUMN overheard.picture_queue.author IS 'The post: who posted it; null where settings keep authors out';
COMMENT ON COLUMN overheard.picture_queue.text IS
    'The post: what it says, kept until its pictures were looked at, whatever settings say of texts';
COMMENT ON COLUMN overheard.picture_queue.link IS 'The post: where a person can read it';
COMMENT ON COLUMN overheard.picture_queue.languages IS 'The post: the languages that its client claims';
COMMENT ON COLUMN overheard.picture_queue.reach IS 'The post: how many people it may have reached';
COMMENT ON COLUMN overheard.picture_queue.author_key IS 'The post: its author''s pseudonym';
COMMENT ON COLUMN overheard.picture_queue.version IS 'The post: when this version of it was made';
COMMENT ON COLUMN overheard.picture_queue.links IS 'The post: addresses beside its text';
COMMENT ON COLUMN overheard.picture_queue.hashtags IS 'The post: hashtags beside its text';
COMMENT ON COLUMN overheard.picture_queue.named IS 'Ids of the brands that the post''s text names';

-- Counting the queue takes a while, so one process at a time does it, for all.
CREATE TABLE overheard.picture_backlog (
    only_row       boolean          PRIMARY KEY DEFAULT true CHECK (only_row),
    measured_at    timestamptz      NOT NULL DEFAULT 'epoch',
    pictures       bigint           NOT NULL DEFAULT 0 CHECK (pictures >= 0),
    waiting        bigint           NOT NULL DEFAULT 0 CHECK (waiting >= 0),
    oldest_seconds double precision NOT NULL DEFAULT 0,
    dead_rows      bigint           NOT NULL DEFAULT 0 CHECK (dead_rows >= 0)
);

INSERT INTO overheard.picture_backlog DEFAULT VALUES;

COMMENT ON TABLE overheard.picture_backlog IS 'How long the queue of pictures was when it was last measured; one row';
COMMENT ON COLUMN overheard.picture_backlog.only_row IS 'Always true, so that there is one row';
COMMENT ON COLUMN overheard.picture_backlog.measured_at IS 'When it was measured';
COMMENT ON COLUMN overheard.picture_backlog.pictures IS 'Pictures in the queue; an estimate beyond 100,000';
COMMENT ON COLUMN overheard.picture_backlog.waiting IS 'Those leased or put off; an estimate beyond 100,000';
COMMENT ON COLUMN overheard.picture_backlog.oldest_seconds IS 'Age of the oldest in seconds';
COMMENT ON COLUMN overheard.picture_backlog.dead_rows IS 'Removed rows of the queue that vacuum has yet to clear up, as Postgres estimates';

-- Two hashes that differ in four bits at most are equal in two of six parts at least. So each pair of
-- parts is a key, together with the picture's shape in steps of 4.2 %, a little more than twice the
-- tolerance. A look-up takes the shapes a little narrower and a little wider, which the last argument
-- says as a logarithm. Not in SQL: that would be inlined, and every part computed five times.
CREATE FUNCTION overheard.likeness_keys(hash bigint, width integer, height integer, nudge double precision)
RETURNS integer[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    shape integer := (floor(24 * (ln(width::double precision / height) + nudge))::integer & 31) << 22;
    a integer := hash & 2047;
    b integer := hash >> 11 & 2047;
    c integer := hash >> 22 & 2047;
    d integer := hash >> 33 & 2047;
    e integer := hash >> 44 & 1023;
    f integer := hash >> 54 & 1023;
BEGIN
    RETURN ARRAY[
        ((0 << 27) | shape | (a << 11) | b), ((1 << 27) | shape | (a << 11) | c),
        ((2 << 27) | shape | (a << 11) | d), ((3 << 27) | shape | (a << 11) | e),
        ((4 << 27) | shape | (a << 11) | f), ((5 << 27) | shape | (b << 11) | c),
        ((6 << 27) | shape | (b << 11) | d), ((7 << 27) | shape | (b << 11) | e),
        ((8 << 27) | shape | (b << 11) | f), ((9 << 27) | shape | (c << 11) | d),
        ((10 << 27) | shape | (c << 11) | e), ((11 << 27) | shape | (c << 11) | f),
        ((12 << 27) | shape | (d << 11) | e), ((13 << 27) | shape | (d << 11) | f),
        ((14 << 27) | shape | (e << 11) | f)
    ];
END $$;

COMMENT ON FUNCTION overheard.likeness_keys IS
    'The keys that pictures which look the same have in common, by perceptual hash and shape';

-- An address may be longer than an index entry can be, so its hash is the key.
CREATE TABLE overheard.media (
    url_sha256     bytea       PRIMARY KEY CHECK (octet_length(url_sha256) = 32),
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

-- The latest of a file that lies at many addresses is found at once.
CREATE INDEX media_content ON overheard.media (content_sha256, looked_at) WHERE content_sha256 IS NOT NULL;
-- Without a list of pending entries, which every look-up would have to read through.
CREATE INDEX media_likeness ON overheard.media USING gin (overheard.likeness_keys(perceptual, width, height, 0))
    WITH (fastupdate = off) WHERE perceptual IS NOT NULL;
CREATE INDEX media_looked_at ON overheard.media (looked_at);

COMMENT ON TABLE overheard.media IS
    'The memory of pictures that were looked at, one row an address, so that none is looked at twice';
COMMENT ON COLUMN overheard.media.url_sha256 IS 'SHA-256 of the address. The address itself may name an account';
COMMENT ON COLUMN overheard.media.outcome IS
    'fetched: it was looked at. refused: the address is not let through. failed: it can''t be had. undecodable: it is no picture';
COMMENT ON COLUMN overheard.media.reason IS 'Why it was not looked at; null where it was';
COMMENT ON COLUMN overheard.media.looked_at IS 'When that was last found out';
COMMENT ON COLUMN overheard.media.content_sha256 IS 'SHA-256 of the file; null where there is none';
COMMENT ON COLUMN overheard.media.perceptual IS 'Perceptual hash, 64 bits, by which others find it; null where there is no picture, it is too plain, or it was found by another row';
COMMENT ON COLUMN overheard.media.bytes IS 'Size of the file';
COMMENT ON COLUMN overheard.media.width IS 'Width of the upright picture in pixels';
COMMENT ON COLUMN overheard.media.height IS 'Height of the upright picture in pixels';
COMMENT ON COLUMN overheard.media.model IS 'The model that looked at it, with its version';
COMMENT ON COLUMN overheard.media.detections IS
    'The logos that it reports, of all brands that the model knows: label, x, y, width, height in pixels, score, share, distance, sharpness';


-- Alerts

CREATE TABLE overheard.alerts (
    id             text COLLATE "C" PRIMARY KEY,
    state          text             NOT NULL CHECK (state IN ('firing', 'resolved')),
    rule           text             NOT NULL,
    kind           text             NOT NULL CHECK (kind IN ('volume', 'negative_share', 'silence', 'first_sighting')),
    brand          text             NOT NULL,
    started_at     timestamptz      NOT NULL,
    fired_at       timestamptz      NOT NULL,
    resolved_at    timestamptz,
    window_seconds bigint           NOT NULL CHECK (window_seconds > 0),
    value          double precision NOT NULL,
    threshold      double precision NOT NULL,
    mentions       bigint           NOT NULL CHECK (mentions >= 0),
    negative       bigint           NOT NULL CHECK (negative >= 0),
    neutral        bigint           NOT NULL CHECK (neutral >= 0),
    positive       bigint           NOT NULL CHECK (positive >= 0),
    unscored       bigint           NOT NULL CHECK (unscored >= 0),
    polarity_sum   double precision NOT NULL,
    sightings      bigint           NOT NULL CHECK (sightings >= 0),
    late           boolean          NOT NULL,
    CHECK (mentions = negative + neutral + positive + unscored),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
);

CREATE INDEX alerts_open ON overheard.alerts (fired_at) WHERE state = 'firing';

COMMENT ON TABLE overheard.alerts IS 'Incidents: one row each, with what was measured when it fired';
COMMENT ON COLUMN overheard.alerts.id IS 'The id that the firing and the resolved message share';
COMMENT ON COLUMN overheard.alerts.state IS 'firing or resolved';
COMMENT ON COLUMN overheard.alerts.rule IS 'The rule''s id in config/alerts.toml';
COMMENT ON COLUMN overheard.alerts.kind IS 'What the rule watches: volume, negative_share, silence or first_sighting';
COMMENT ON COLUMN overheard.alerts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.alerts.started_at IS 'When the condition began to hold';
COMMENT ON COLUMN overheard.alerts.fired_at IS 'When it had held for as long as the rule asks';
COMMENT ON COLUMN overheard.alerts.resolved_at IS 'When it had been over for as long as the rule asks; null while firing';
COMMENT ON COLUMN overheard.alerts.window_seconds IS 'Length of the rule''s window in seconds';
COMMENT ON COLUMN overheard.alerts.value IS
    'Measured when it fired: mentions in the window, the share of negative ones among those scored, or logos seen';
COMMENT ON COLUMN overheard.alerts.threshold IS 'What the value was held against, in the same unit';
COMMENT ON COLUMN overheard.alerts.mentions IS 'Mentions in the window when it fired';
COMMENT ON COLUMN overheard.alerts.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.alerts.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.alerts.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.alerts.unscored IS 'Those in a language that no model scores';
COMMENT ON COLUMN overheard.alerts.polarity_sum IS
    'Sum of polarities; divided by mentions less unscored it is the mean';
COMMENT ON COLUMN overheard.alerts.sightings IS 'Logos seen in pictures of posts in the window when it fired';
COMMENT ON COLUMN overheard.alerts.late IS 'Whether it was told long after it fired: its posts came late, or reading them did';

CREATE TABLE overheard.alert_states (
    rule        text COLLATE "C" NOT NULL,
    brand       text COLLATE "C" NOT NULL,
    phase       text        NOT NULL CHECK (phase IN ('pending', 'firing', 'cooling')),
    started_at  timestamptz,
    fired_at    timestamptz,
    below_since timestamptz,
    until       timestamptz,
    PRIMARY KEY (rule, brand),
    CHECK (CASE phase
        WHEN 'pending' THEN started_at IS NOT NULL
        WHEN 'firing' THEN started_at IS NOT NULL AND fired_at IS NOT NULL
        ELSE until IS NOT NULL
    END)
);

COMMENT ON TABLE overheard.alert_states IS
    'What a rule remembers of a brand, so that any process can go on evaluating; no row means inactive';
COMMENT ON COLUMN overheard.alert_states.rule IS 'The rule''s id';
COMMENT ON COLUMN overheard.alert_states.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.alert_states.phase IS 'pending, firing or cooling';
COMMENT ON COLUMN overheard.alert_states.started_at IS 'pending, firing: when the condition began to hold';
COMMENT ON COLUMN overheard.alert_states.fired_at IS 'firing: when the alert fired';
COMMENT ON COLUMN overheard.alert_states.below_since IS 'firing: since when the condition no longer holds, if so';
COMMENT ON COLUMN overheard.alert_states.until IS 'cooling: when the rule may look at the brand again';

-- Since when each brand has been heard of, so that rules know how much of the past they may judge by.
-- What posts claim does not tell: one that claims to be a month old would make up a month of silence.
CREATE TABLE overheard.brands_heard (
    brand          text COLLATE "C" PRIMARY KEY,
    first_received timestamptz NOT NULL
);

COMMENT ON TABLE overheard.brands_heard IS 'Brands that were mentioned, with when their first mention came in';
COMMENT ON COLUMN overheard.brands_heard.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brands_heard.first_received IS
    'When the first mention was read from Kafka, whatever time it claims; it stays when retention removes the mention';

-- Written with every batch: the free space keeps updates on their page and off the index.
CREATE TABLE overheard.watermarks (
    consumer_group text COLLATE "C" NOT NULL,
    topic          text COLLATE "C" NOT NULL,
    partition      integer     NOT NULL CHECK (partition >= 0),
    read_until     timestamptz NOT NULL,
    PRIMARY KEY (consumer_group, topic, partition)
) WITH (fillfactor = 50);

COMMENT ON TABLE overheard.watermarks IS
    'Up to when each partition was read and what it held is stored; alert rules judge no time beyond the least of them';
COMMENT ON COLUMN overheard.watermarks.consumer_group IS 'The consumer group (kafka.group)';
COMMENT ON COLUMN overheard.watermarks.topic IS 'The topic';
COMMENT ON COLUMN overheard.watermarks.partition IS 'The partition''s number';
COMMENT ON COLUMN overheard.watermarks.read_until IS
    'Everything that was appended before is stored: by the broker''s time of the last record, or when the partition was seen to be read to its end; it never goes back';

CREATE TABLE overheard.backfills (
    name        text COLLATE "C" NOT NULL,
    place       text COLLATE "C" NOT NULL,
    next_offset bigint      NOT NULL,
    end_offset  bigint      NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (name, place)
);

COMMENT ON TABLE overheard.backfills IS 'How far backfills have come that are not at their end';
COMMENT ON COLUMN overheard.backfills.name IS 'What it was asked to read';
COMMENT ON COLUMN overheard.backfills.place IS 'The number of a partition, or the path of a file';
COMMENT ON COLUMN overheard.backfills.next_offset IS 'Where it goes on: a record''s offset, or a byte of the file';
COMMENT ON COLUMN overheard.backfills.end_offset IS 'Where it ends: one past the last';
COMMENT ON COLUMN overheard.backfills.changed_at IS 'When it came so far';

CREATE TABLE overheard.alert_progress (
    single        boolean     PRIMARY KEY DEFAULT true CHECK (single),
    late_since    timestamptz NOT NULL,
    judging_until timestamptz NOT NULL,
    judged_until  timestamptz
);

COMMENT ON TABLE overheard.alert_progress IS 'Up to when alert rules were judged: one row, none before the first time';
COMMENT ON COLUMN overheard.alert_progress.single IS 'True: there is one row at most';
COMMENT ON COLUMN overheard.alert_progress.late_since IS 'Counts of earlier minutes change too late to be judged again';
COMMENT ON COLUMN overheard.alert_progress.judging_until IS
    'Minutes before are judged, or being judged: who changes their counts says so in late_counts';
COMMENT ON COLUMN overheard.alert_progress.judged_until IS 'Minutes before were judged; null before the first time';

CREATE TABLE overheard.behind (
    single boolean     PRIMARY KEY DEFAULT true CHECK (single),
    since  timestamptz NOT NULL
);

COMMENT ON TABLE overheard.behind IS 'A row while the daemon is behind and has said so';
COMMENT ON COLUMN overheard.behind.single IS 'True: there is one row at most';
COMMENT ON COLUMN overheard.behind.since IS 'Up to when everything had been read when it fell behind';

CREATE TABLE overheard.late_counts (
    id     bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    brand  text        NOT NULL,
    minute timestamptz NOT NULL
);

COMMENT ON TABLE overheard.late_counts IS
    'Minutes whose counts have changed after they were judged; the evaluation of alert rules judges them again and removes the rows';
COMMENT ON COLUMN overheard.late_counts.id IS 'Tells rows apart that are about the same minute';
COMMENT ON COLUMN overheard.late_counts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.late_counts.minute IS 'The minute';

CREATE TABLE overheard.outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text COLLATE "C" NOT NULL UNIQUE,
    key        text        NOT NULL,
    payload    jsonb       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at    timestamptz
);

CREATE INDEX outbox_pending ON overheard.outbox (id) WHERE sent_at IS NULL;

COMMENT ON TABLE overheard.outbox IS
    'Messages written together with what they tell of, until they are sent to Kafka and a day longer';
COMMENT ON COLUMN overheard.outbox.id IS 'The order in which messages are sent';
COMMENT ON COLUMN overheard.outbox.message_id IS 'The same message has the same one, whoever writes it';
COMMENT ON COLUMN overheard.outbox.key IS 'The record''s key: the brand, or _behind for what is told of the daemon itself';
COMMENT ON COLUMN overheard.outbox.payload IS 'The record''s value (docs/schemas/alert.schema.json)';
COMMENT ON COLUMN overheard.outbox.created_at IS 'When it was written';
COMMENT ON COLUMN overheard.outbox.sent_at IS 'When Kafka acknowledged it; null until then';


-- Views: what dashboards read. Their names and columns are stable; tables may change.

CREATE VIEW overheard.brand_minutes AS
SELECT brand, minute,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(unscored)::bigint AS unscored
FROM overheard.mention_counts
GROUP BY brand, minute;

COMMENT ON VIEW overheard.brand_minutes IS
    'Mentions by brand and minute; minutes without mentions have no row';
COMMENT ON COLUMN overheard.brand_minutes.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_minutes.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_minutes.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_minutes.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_minutes.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_minutes.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_minutes.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_minutes.unscored IS 'Those in a language that no model scores';

CREATE VIEW overheard.brand_hours AS
SELECT brand, hour,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(unscored)::bigint AS unscored
FROM overheard.evidence_hours
GROUP BY brand, hour;

COMMENT ON VIEW overheard.brand_hours IS
    'Mentions by brand and hour; hours without mentions have no row';
COMMENT ON COLUMN overheard.brand_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_hours.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_hours.unscored IS 'Those in a language that no model scores';

CREATE VIEW overheard.brand_evidence_minutes AS
SELECT brand, minute, evidence,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(sightings)::bigint AS sightings,
       sum(unscored)::bigint AS unscored
FROM overheard.mention_counts
GROUP BY brand, minute, evidence;

COMMENT ON VIEW overheard.brand_evidence_minutes IS
    'Mentions by brand, minute and evidence, with the logos seen; what has no mentions has no row';
COMMENT ON COLUMN overheard.brand_evidence_minutes.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_evidence_minutes.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_evidence_minutes.evidence IS 'text: the text names it; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.brand_evidence_minutes.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_evidence_minutes.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_evidence_minutes.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_evidence_minutes.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_evidence_minutes.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_evidence_minutes.sightings IS 'Logos seen in the pictures of these posts';
COMMENT ON COLUMN overheard.brand_evidence_minutes.unscored IS 'Those in a language that no model scores';

CREATE VIEW overheard.brand_evidence_hours AS
SELECT brand, hour, evidence, mentions, negative, neutral, positive,
       polarity_sum / nullif(mentions - unscored, 0)::double precision AS polarity,
       sightings, unscored
FROM overheard.evidence_hours;

COMMENT ON VIEW overheard.brand_evidence_hours IS
    'Are they saying nice things about us? Mentions and feelings of posts that name a brand, show it, or both, by hour';
COMMENT ON COLUMN overheard.brand_evidence_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_evidence_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_evidence_hours.evidence IS 'text: the text names it; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.brand_evidence_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_evidence_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_evidence_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_evidence_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_evidence_hours.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_evidence_hours.sightings IS 'Logos seen in the pictures of these posts';
COMMENT ON COLUMN overheard.brand_evidence_hours.unscored IS 'Those in a language that no model scores';

-- LIMIT 1 makes each row look up its post by its key. As a plain join the post's part of it knows
-- nothing of the range asked for, and may be read from all partitions.
CREATE VIEW overheard.recent_mentions AS
SELECT m.created_at, m.received_at, m.brand, m.source, m.post_id,
       m.kind, p.author, p.text, p.link, m.language, p.reach,
       m.label, m.negative, m.neutral, m.positive, m.polarity, m.model, m.evidence
FROM overheard.mentions m
LEFT JOIN LATERAL (
    SELECT author, text, link, reach
    FROM overheard.posts
    WHERE posts.source = m.source AND posts.id = m.post_id AND posts.created_at = m.created_at
    LIMIT 1
) p ON true
WHERE m.muted_by IS NULL;

COMMENT ON VIEW overheard.recent_mentions IS
    'Mentions with their posts; ask for a range of created_at, and order by it';
COMMENT ON COLUMN overheard.recent_mentions.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.recent_mentions.received_at IS 'When the post was read from Kafka';
COMMENT ON COLUMN overheard.recent_mentions.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.recent_mentions.source IS 'The post''s network';
COMMENT ON COLUMN overheard.recent_mentions.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.recent_mentions.kind IS 'original, reply, repost or quote';
COMMENT ON COLUMN overheard.recent_mentions.author IS 'Who posted it; null where settings keep authors out';
COMMENT ON COLUMN overheard.recent_mentions.text IS 'What it says; null where settings keep texts out';
COMMENT ON COLUMN overheard.recent_mentions.link IS 'Where a person can read it';
COMMENT ON COLUMN overheard.recent_mentions.language IS
    'The language that the text was found to be in; null where that can''t be told';
COMMENT ON COLUMN overheard.recent_mentions.reach IS 'How many people it may have reached';
COMMENT ON COLUMN overheard.recent_mentions.label IS
    'negative, neutral or positive; null, with the rest of the score, where no model scores the language';
COMMENT ON COLUMN overheard.recent_mentions.negative IS 'Probability of negative, 0 to 1';
COMMENT ON COLUMN overheard.recent_mentions.neutral IS 'Probability of neutral, 0 to 1';
COMMENT ON COLUMN overheard.recent_mentions.positive IS 'Probability of positive, 0 to 1';
COMMENT ON COLUMN overheard.recent_mentions.polarity IS 'Positive minus negative, -1 to 1';
COMMENT ON COLUMN overheard.recent_mentions.model IS 'The model that scored it; null where label is';
COMMENT ON COLUMN overheard.recent_mentions.evidence IS 'text: the text names it; image: a picture shows its logo; both';

CREATE VIEW overheard.recent_sightings AS
SELECT s.created_at, s.received_at, s.brand, s.source, s.post_id, s.position,
       s.x, s.y, s.width, s.height, s.picture_width, s.picture_height,
       s.score, s.share, s.distance, s.sharpness, s.url, s.model, s.seen_at,
       m.evidence, m.label, m.polarity, p.author, p.text, p.link
FROM overheard.sightings s
LEFT JOIN LATERAL (
    SELECT evidence, label, polarity, muted_by
    FROM overheard.mentions
    WHERE mentions.source = s.source AND mentions.post_id = s.post_id
      AND mentions.created_at = s.created_at AND mentions.brand = s.brand
    LIMIT 1
) m ON true
LEFT JOIN LATERAL (
    SELECT author, text, link
    FROM overheard.posts
    WHERE posts.source = s.source AND posts.id = s.post_id AND posts.created_at = s.created_at
    LIMIT 1
) p ON true
WHERE m.muted_by IS NULL;

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
COMMENT ON COLUMN overheard.recent_sightings.label IS
    'Of the mention: negative, neutral or positive; null where no model scores its language';
COMMENT ON COLUMN overheard.recent_sightings.polarity IS 'Of the mention: -1 to 1; null where label is';
COMMENT ON COLUMN overheard.recent_sightings.author IS 'Who posted it; null where settings keep authors out';
COMMENT ON COLUMN overheard.recent_sightings.text IS 'What the post says; null where settings keep texts out';
COMMENT ON COLUMN overheard.recent_sightings.link IS 'Where a person can read it';

CREATE VIEW overheard.muted_mention_days AS
SELECT m.muted_by AS mute, mutes.kind, coalesce(mutes.subject, mutes.source) AS subject, m.brand,
       date_bin('1 day', m.created_at, 'epoch') AS day, count(*) AS mentions
FROM overheard.mentions m
JOIN overheard.mutes ON mutes.id = m.muted_by
WHERE m.muted_by IS NOT NULL
GROUP BY 1, 2, 3, 4, 5;

COMMENT ON VIEW overheard.muted_mention_days IS 'Mentions that mutes hide from all figures, by mute, brand and day';
COMMENT ON COLUMN overheard.muted_mention_days.mute IS 'The mute''s number';
COMMENT ON COLUMN overheard.muted_mention_days.kind IS 'What it hides by: author, host, phrase or source';
COMMENT ON COLUMN overheard.muted_mention_days.subject IS 'The host or phrase; of authors and sources the network';
COMMENT ON COLUMN overheard.muted_mention_days.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.muted_mention_days.day IS 'The UTC day of the posts'' claimed time, as the instant at which it begins';
COMMENT ON COLUMN overheard.muted_mention_days.mentions IS 'Mentions that it hides';

CREATE VIEW overheard.open_alerts AS
SELECT id, rule, kind, brand, started_at, fired_at, value, threshold, mentions
FROM overheard.alerts
WHERE state = 'firing';

COMMENT ON VIEW overheard.open_alerts IS 'Alerts that are firing now';
COMMENT ON COLUMN overheard.open_alerts.id IS 'The alert''s id';
COMMENT ON COLUMN overheard.open_alerts.rule IS 'The rule''s id';
COMMENT ON COLUMN overheard.open_alerts.kind IS 'volume, negative_share, silence or first_sighting';
COMMENT ON COLUMN overheard.open_alerts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.open_alerts.started_at IS 'When the condition began to hold';
COMMENT ON COLUMN overheard.open_alerts.fired_at IS 'When it fired';
COMMENT ON COLUMN overheard.open_alerts.value IS 'Measured when it fired: mentions, or share of negative ones';
COMMENT ON COLUMN overheard.open_alerts.threshold IS 'What the value was held against';
COMMENT ON COLUMN overheard.open_alerts.mentions IS 'Mentions in the rule''s window when it fired';

CREATE VIEW overheard.alert_history AS
SELECT id, rule, kind, brand, state, started_at, fired_at, resolved_at, value, threshold, mentions
FROM overheard.alerts;

COMMENT ON VIEW overheard.alert_history IS 'All alerts, firing and resolved';
COMMENT ON COLUMN overheard.alert_history.id IS 'The alert''s id';
COMMENT ON COLUMN overheard.alert_history.rule IS 'The rule''s id';
COMMENT ON COLUMN overheard.alert_history.kind IS 'volume, negative_share, silence or first_sighting';
COMMENT ON COLUMN overheard.alert_history.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.alert_history.state IS 'firing or resolved';
COMMENT ON COLUMN overheard.alert_history.started_at IS 'When the condition began to hold';
COMMENT ON COLUMN overheard.alert_history.fired_at IS 'When it fired';
COMMENT ON COLUMN overheard.alert_history.resolved_at IS 'When it resolved; null while firing';
COMMENT ON COLUMN overheard.alert_history.value IS 'Measured when it fired: mentions, or share of negative ones';
COMMENT ON COLUMN overheard.alert_history.threshold IS 'What the value was held against';
COMMENT ON COLUMN overheard.alert_history.mentions IS 'Mentions in the rule''s window when it fired';

CREATE VIEW overheard.brand_evidence_days AS
SELECT brand, day, evidence, mentions, negative, neutral, positive,
       polarity_sum / nullif(mentions - unscored, 0)::double precision AS polarity,
       sightings, unscored
FROM overheard.evidence_days;

COMMENT ON VIEW overheard.brand_evidence_days IS
    'Mentions by brand, UTC day and evidence, with the logos seen; what has no mentions has no row';
COMMENT ON COLUMN overheard.brand_evidence_days.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_evidence_days.day IS 'The UTC day of the posts'' claimed time, as the instant at which it begins';
COMMENT ON COLUMN overheard.brand_evidence_days.evidence IS 'text: the text names it; image: a picture shows its logo; both';
COMMENT ON COLUMN overheard.brand_evidence_days.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_evidence_days.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_evidence_days.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_evidence_days.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_evidence_days.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_evidence_days.sightings IS 'Logos seen in the pictures of these posts';
COMMENT ON COLUMN overheard.brand_evidence_days.unscored IS 'Those in a language that no model scores';

-- A loose index scan: one step through the primary key for each brand, however many rows there are.
CREATE VIEW overheard.brands AS
WITH RECURSIVE known AS (
    (SELECT brand FROM overheard.evidence_hours ORDER BY brand LIMIT 1)
    UNION ALL
    SELECT (SELECT next.brand FROM overheard.evidence_hours next
            WHERE next.brand > known.brand ORDER BY next.brand LIMIT 1)
    FROM known
    WHERE known.brand IS NOT NULL
)
SELECT brand FROM known WHERE brand IS NOT NULL;

COMMENT ON VIEW overheard.brands IS 'Brands that have mentions';
COMMENT ON COLUMN overheard.brands.brand IS 'The brand''s id';

CREATE VIEW overheard.brand_kind_hours AS
SELECT brand, hour, kind,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions - unscored), 0)::double precision AS polarity,
       sum(unscored)::bigint AS unscored
FROM overheard.mention_hours
GROUP BY brand, hour, kind;

COMMENT ON VIEW overheard.brand_kind_hours IS
    'Mentions by brand, hour and kind of post: what people write themselves against what they pass on';
COMMENT ON COLUMN overheard.brand_kind_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_kind_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_kind_hours.kind IS 'original, reply, repost or quote';
COMMENT ON COLUMN overheard.brand_kind_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_kind_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_kind_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_kind_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_kind_hours.polarity IS 'Mean polarity of those scored, -1 to 1; null without such';
COMMENT ON COLUMN overheard.brand_kind_hours.unscored IS 'Those in a language that no model scores';

CREATE VIEW overheard.share_of_voice_hours AS
SELECT brand, hour, mentions,
       sum(mentions) OVER same_hour::bigint AS all_mentions,
       mentions / sum(mentions) OVER same_hour::double precision AS share
FROM overheard.brand_hours
WINDOW same_hour AS (PARTITION BY hour);

COMMENT ON VIEW overheard.share_of_voice_hours IS
    'Each brand''s share of the mentions of an hour; over several hours, divide the sums';
COMMENT ON COLUMN overheard.share_of_voice_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.share_of_voice_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.share_of_voice_hours.mentions IS 'The brand''s mentions';
COMMENT ON COLUMN overheard.share_of_voice_hours.all_mentions IS 'The mentions of all brands in the hour';
COMMENT ON COLUMN overheard.share_of_voice_hours.share IS 'The brand''s share of them, 0 to 1';

CREATE VIEW overheard.net_sentiment_hours AS
SELECT brand, hour, mentions - unscored AS scored,
       (positive - negative)::double precision / nullif(mentions - unscored, 0) AS net_sentiment
FROM overheard.brand_hours;

COMMENT ON VIEW overheard.net_sentiment_hours IS
    'The share of positive less the share of negative mentions by brand and hour; over several hours, weigh it by scored';
COMMENT ON COLUMN overheard.net_sentiment_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.net_sentiment_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.net_sentiment_hours.scored IS 'Mentions that have a score';
COMMENT ON COLUMN overheard.net_sentiment_hours.net_sentiment IS
    'Positive less negative mentions, by those scored: -1 to 1; null without such';

CREATE VIEW overheard.brand_author_days AS
SELECT brand, day, count(*) AS authors
FROM overheard.author_days
GROUP BY brand, day;

COMMENT ON VIEW overheard.brand_author_days IS
    'Unique authors by brand and day; who posts on two days counts on both, so days don''t add up';
COMMENT ON COLUMN overheard.brand_author_days.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_author_days.day IS 'The UTC day of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_author_days.authors IS 'How many different authors mentioned the brand';

CREATE VIEW overheard.brand_link_hours AS
SELECT brand, hour, topic AS link, mentions
FROM overheard.topic_hours
WHERE kind = 'link';

COMMENT ON VIEW overheard.brand_link_hours IS 'Links in posts that mention a brand, by hour; sum over a range for the top ones';
COMMENT ON COLUMN overheard.brand_link_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_link_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_link_hours.link IS 'The full address';
COMMENT ON COLUMN overheard.brand_link_hours.mentions IS 'Mentions in posts that have it';

CREATE VIEW overheard.brand_hashtag_hours AS
SELECT brand, hour, topic AS hashtag, mentions
FROM overheard.topic_hours
WHERE kind = 'hashtag';

COMMENT ON VIEW overheard.brand_hashtag_hours IS 'Hashtags in posts that mention a brand, by hour; sum over a range for the top ones';
COMMENT ON COLUMN overheard.brand_hashtag_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_hashtag_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_hashtag_hours.hashtag IS 'The hashtag in lower case, without #';
COMMENT ON COLUMN overheard.brand_hashtag_hours.mentions IS 'Mentions in posts that have it';

CREATE VIEW overheard.brand_host_hours AS
SELECT brand, hour, topic AS host, mentions
FROM overheard.topic_hours
WHERE kind = 'host';

COMMENT ON VIEW overheard.brand_host_hours IS 'Hosts in posts that mention a brand, by hour; sum over a range for the top ones';
COMMENT ON COLUMN overheard.brand_host_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_host_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_host_hours.host IS 'The host of a link, without www.';
COMMENT ON COLUMN overheard.brand_host_hours.mentions IS 'Mentions in posts that have it';


-- Functions: views that take a range. They read views alone, so a role that may read those may call
-- them. Brands are always named, since a condition on them is what the indexes begin with.

-- Whole days and whole hours from their roll-ups, and what is left at both ends from the minutes. The
-- last condition of each part keeps an empty one from being looked for.
CREATE FUNCTION overheard.mentions_between(brands text[], since timestamptz, until timestamptz)
RETURNS TABLE (
    brand text, mentions bigint, negative bigint, neutral bigint, positive bigint, unscored bigint,
    polarity double precision, sightings bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH whole AS (
        SELECT first_hour, last_hour, first_day,
               greatest(first_day, date_bin('1 day', last_hour, 'epoch')) AS last_day
        FROM least(date_bin('1 hour', since + interval '1 hour -1 microsecond', 'epoch'), until) AS first_hour,
             greatest(first_hour, date_bin('1 hour', until, 'epoch')) AS last_hour,
             least(date_bin('1 day', first_hour + interval '1 day -1 microsecond', 'epoch'), last_hour) AS first_day
    ),
    parts AS (
        SELECT days.brand, days.mentions, days.negative, days.neutral, days.positive,
               days.unscored, days.polarity, days.sightings
        FROM overheard.brand_evidence_days days
        WHERE days.brand = ANY (brands)
          AND days.day >= (SELECT first_day FROM whole) AND days.day < (SELECT last_day FROM whole)
          AND (SELECT first_day < last_day FROM whole)
        UNION ALL
        SELECT hours.brand, hours.mentions, hours.negative, hours.neutral, hours.positive,
               hours.unscored, hours.polarity, hours.sightings
        FROM overheard.brand_evidence_hours hours
        WHERE hours.brand = ANY (brands)
          AND hours.hour >= (SELECT first_hour FROM whole) AND hours.hour < (SELECT first_day FROM whole)
          AND (SELECT first_hour < first_day FROM whole)
        UNION ALL
        SELECT hours.brand, hours.mentions, hours.negative, hours.neutral, hours.positive,
               hours.unscored, hours.polarity, hours.sightings
        FROM overheard.brand_evidence_hours hours
        WHERE hours.brand = ANY (brands)
          AND hours.hour >= (SELECT last_day FROM whole) AND hours.hour < (SELECT last_hour FROM whole)
          AND (SELECT last_day < last_hour FROM whole)
        UNION ALL
        SELECT minutes.brand, minutes.mentions, minutes.negative, minutes.neutral, minutes.positive,
               minutes.unscored, minutes.polarity, minutes.sightings
        FROM overheard.brand_evidence_minutes minutes
        WHERE minutes.brand = ANY (brands)
          AND minutes.minute >= since AND minutes.minute < (SELECT first_hour FROM whole)
          AND (SELECT since < first_hour FROM whole)
        UNION ALL
        SELECT minutes.brand, minutes.mentions, minutes.negative, minutes.neutral, minutes.positive,
               minutes.unscored, minutes.polarity, minutes.sightings
        FROM overheard.brand_evidence_minutes minutes
        WHERE minutes.brand = ANY (brands)
          AND minutes.minute >= (SELECT last_hour FROM whole) AND minutes.minute < until
          AND (SELECT last_hour < until FROM whole)
    )
    SELECT parts.brand, sum(parts.mentions)::bigint, sum(parts.negative)::bigint, sum(parts.neutral)::bigint,
           sum(parts.positive)::bigint, sum(parts.unscored)::bigint,
           sum(parts.polarity * (parts.mentions - parts.unscored)::double precision)
               / nullif(sum(parts.mentions - parts.unscored), 0)::double precision,
           sum(parts.sightings)::bigint
    FROM parts
    GROUP BY parts.brand;
END;

COMMENT ON FUNCTION overheard.mentions_between IS
    'Mentions of these brands in the minutes that begin in a time range (its end excluded), however long it is';

CREATE FUNCTION overheard.compare_periods(brands text[], since timestamptz, until timestamptz)
RETURNS TABLE (
    brand text, mentions bigint, mentions_before bigint,
    net_sentiment double precision, net_sentiment_before double precision,
    polarity double precision, polarity_before double precision
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT brand, coalesce(this.mentions, 0), coalesce(earlier.mentions, 0),
           (this.positive - this.negative)::double precision / nullif(this.mentions - this.unscored, 0),
           (earlier.positive - earlier.negative)::double precision / nullif(earlier.mentions - earlier.unscored, 0),
           this.polarity, earlier.polarity
    FROM overheard.mentions_between(brands, since, until) this
    FULL JOIN overheard.mentions_between(brands, since - (until - since), since) earlier USING (brand);
END;

COMMENT ON FUNCTION overheard.compare_periods IS
    'Mentions and sentiment of these brands in a time range, and in the equally long one before it';

-- A day begins at the first instant that has its date. Where clocks are set back over midnight there are
-- two midnights, and AT TIME ZONE takes the later one.
CREATE FUNCTION overheard.brand_local_days(brands text[], zone text, first_day date, last_day date)
RETURNS TABLE (
    brand text, day date, mentions bigint, negative bigint, neutral bigint, positive bigint,
    unscored bigint, polarity double precision
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH midnights AS MATERIALIZED (
        SELECT date, date AT TIME ZONE zone AS midnight
        FROM generate_series(first_day::timestamp, last_day::timestamp + interval '1 day', interval '1 day') AS date
    ),
    starts AS MATERIALIZED (
        SELECT date,
               CASE WHEN (midnight - interval '1 hour') AT TIME ZONE zone >= date
                    THEN midnight - interval '1 hour' ELSE midnight END AS start
        FROM midnights
    ),
    days AS MATERIALIZED (
        SELECT date::date AS day, start AS since, lead(start) OVER (ORDER BY date) AS until
        FROM starts
    )
    SELECT counted.brand, days.day, counted.mentions, counted.negative, counted.neutral, counted.positive,
           counted.unscored, counted.polarity
    FROM days
    CROSS JOIN LATERAL overheard.mentions_between(brands, days.since, days.until) counted
    WHERE days.until IS NOT NULL;
END;

COMMENT ON FUNCTION overheard.brand_local_days IS
    'Mentions of these brands by day of a time zone, named as in pg_timezone_names; both days are included';

-- What a graph shows: minutes for twelve hours at most, hours for five weeks at most, then days, and
-- several of them to a point where there would be more points than asked for.
CREATE FUNCTION overheard.evidence_series(
    brands text[], since timestamptz, until timestamptz, points integer DEFAULT 400)
RETURNS TABLE (
    "time" timestamptz, width interval, brand text, evidence text, mentions bigint, negative bigint,
    neutral bigint, positive bigint, unscored bigint, polarity double precision, sightings bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    WITH step AS (
        SELECT CASE WHEN until - since <= interval '12 hours' THEN interval '1 minute'
                    WHEN until - since <= interval '35 days' THEN interval '1 hour'
                    ELSE interval '1 day' END AS step
    ),
    bucket AS MATERIALIZED (
        SELECT step,
               step * greatest(1, ceil(extract(epoch FROM until - since)
                                       / (extract(epoch FROM step) * greatest(points, 1))))::double precision
                   AS width
        FROM step
    ),
    parts AS (
        SELECT minute AS at, minutes.brand, minutes.evidence, minutes.mentions, minutes.negative,
               minutes.neutral, minutes.positive, minutes.unscored, minutes.polarity, minutes.sightings
        FROM overheard.brand_evidence_minutes minutes
        WHERE minutes.brand = ANY (brands) AND minute >= since AND minute < until
          AND (SELECT step FROM step) = interval '1 minute'
        UNION ALL
        SELECT hour, hours.brand, hours.evidence, hours.mentions, hours.negative,
               hours.neutral, hours.positive, hours.unscored, hours.polarity, hours.sightings
        FROM overheard.brand_evidence_hours hours
        WHERE hours.brand = ANY (brands) AND hour >= since AND hour < until
          AND (SELECT step FROM step) = interval '1 hour'
        UNION ALL
        SELECT day, days.brand, days.evidence, days.mentions, days.negative,
               days.neutral, days.positive, days.unscored, days.polarity, days.sightings
        FROM overheard.brand_evidence_days days
        WHERE days.brand = ANY (brands) AND day >= since AND day < until
          AND (SELECT step FROM step) = interval '1 day'
    )
    SELECT date_bin(bucket.width, parts.at, 'epoch'), bucket.width, parts.brand, parts.evidence,
           sum(parts.mentions)::bigint, sum(parts.negative)::bigint, sum(parts.neutral)::bigint,
           sum(parts.positive)::bigint, sum(parts.unscored)::bigint,
           sum(parts.polarity * (parts.mentions - parts.unscored)::double precision)
               / nullif(sum(parts.mentions - parts.unscored), 0)::double precision,
           sum(parts.sightings)::bigint
    FROM parts, bucket
    GROUP BY 1, 2, 3, 4;
END;

COMMENT ON FUNCTION overheard.evidence_series IS
    'Mentions of these brands over time by evidence, in as many points as asked for at most, about: of minutes up to twelve hours, of hours up to five weeks, of UTC days beyond';

CREATE FUNCTION overheard.brand_series(
    brands text[], since timestamptz, until timestamptz, points integer DEFAULT 400)
RETURNS TABLE (
    "time" timestamptz, width interval, brand text, mentions bigint, negative bigint, neutral bigint,
    positive bigint, unscored bigint, polarity double precision, sightings bigint
)
LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT series."time", series.width, series.brand,
           sum(series.mentions)::bigint, sum(series.negative)::bigint, sum(series.neutral)::bigint,
           sum(series.positive)::bigint, sum(series.unscored)::bigint,
           sum(series.polarity * (series.mentions - series.unscored)::double precision)
               / nullif(sum(series.mentions - series.unscored), 0)::double precision,
           sum(series.sightings)::bigint
    FROM overheard.evidence_series(brands, since, until, points) series
    GROUP BY 1, 2, 3;
END;

COMMENT ON FUNCTION overheard.brand_series IS
    'The same as evidence_series, added up by brand';

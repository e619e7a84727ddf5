-- Posts, what they say about brands, and the counts of it.
--
-- Posts and mentions are partitioned by the day of `created_at`, which is what a post's client
-- claims: it may be 1970 or next year. Such rows land in the default partitions. The daemon makes
-- day partitions ahead and moves rows over that the default partition already holds.

CREATE TABLE overheard.posts (
    source      text        NOT NULL CHECK (source <> ''),
    id          text        NOT NULL CHECK (id <> ''),
    created_at  timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    kind        text        NOT NULL CHECK (kind IN ('original', 'reply', 'repost', 'quote')),
    author      text,
    text        text,
    link        text,
    language    text,
    reach       bigint      CHECK (reach >= 0),
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
COMMENT ON COLUMN overheard.posts.link IS 'Where a person can read it';
COMMENT ON COLUMN overheard.posts.language IS 'The language that its client claims, a BCP 47 tag in lower case';
COMMENT ON COLUMN overheard.posts.reach IS 'How many people it may have reached, where the format says';
COMMENT ON TABLE overheard.posts_default IS 'Posts whose claimed time is outside every day partition';

CREATE TABLE overheard.mentions (
    source      text        NOT NULL,
    post_id     text        NOT NULL,
    created_at  timestamptz NOT NULL,
    brand       text        NOT NULL CHECK (brand <> ''),
    language    text,
    label       text        NOT NULL CHECK (label IN ('negative', 'neutral', 'positive')),
    negative    real        NOT NULL CHECK (negative BETWEEN 0 AND 1),
    neutral     real        NOT NULL CHECK (neutral BETWEEN 0 AND 1),
    positive    real        NOT NULL CHECK (positive BETWEEN 0 AND 1),
    polarity    real        NOT NULL CHECK (polarity BETWEEN -1 AND 1),
    spans       int4range[] NOT NULL,
    model       text        NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (source, post_id, created_at, brand)
) PARTITION BY RANGE (created_at);

CREATE TABLE overheard.mentions_default PARTITION OF overheard.mentions DEFAULT;

CREATE INDEX mentions_created_at ON overheard.mentions USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX mentions_brand ON overheard.mentions (brand, created_at DESC);

COMMENT ON TABLE overheard.mentions IS 'One row for each post and brand that it names, with the post''s sentiment';
COMMENT ON COLUMN overheard.mentions.source IS 'The post''s network';
COMMENT ON COLUMN overheard.mentions.post_id IS 'The post''s identifier there';
COMMENT ON COLUMN overheard.mentions.created_at IS 'The post''s claimed time';
COMMENT ON COLUMN overheard.mentions.brand IS 'The brand''s id in config/brands.toml';
COMMENT ON COLUMN overheard.mentions.language IS 'The post''s language, null where unknown';
COMMENT ON COLUMN overheard.mentions.label IS 'The most probable of negative, neutral and positive; an exact tie is neutral';
COMMENT ON COLUMN overheard.mentions.negative IS 'Probability of negative, 0 to 1';
COMMENT ON COLUMN overheard.mentions.neutral IS 'Probability of neutral, 0 to 1';
COMMENT ON COLUMN overheard.mentions.positive IS 'Probability of positive, 0 to 1';
COMMENT ON COLUMN overheard.mentions.polarity IS 'Positive minus negative, -1 to 1';
COMMENT ON COLUMN overheard.mentions.spans IS
    'Where the text names the brand: half-open ranges of byte offsets into its UTF-8 form; empty where only a link or tag names it';
COMMENT ON COLUMN overheard.mentions.model IS 'The model that scored it';
COMMENT ON COLUMN overheard.mentions.received_at IS 'When the post was read from Kafka';
COMMENT ON TABLE overheard.mentions_default IS 'Mentions whose claimed time is outside every day partition';

-- Updated in place for every batch: the free space keeps updates on their page and off the index.
CREATE TABLE overheard.mention_counts (
    brand        text             NOT NULL,
    minute       timestamptz      NOT NULL,
    source       text             NOT NULL,
    language     text             NOT NULL,
    mentions     bigint           NOT NULL,
    negative     bigint           NOT NULL,
    neutral      bigint           NOT NULL,
    positive     bigint           NOT NULL,
    polarity_sum double precision NOT NULL,
    PRIMARY KEY (brand, minute, source, language),
    CHECK (mentions = negative + neutral + positive)
) WITH (fillfactor = 75);

CREATE INDEX mention_counts_minute ON overheard.mention_counts USING brin (minute) WITH (autosummarize = on);

COMMENT ON TABLE overheard.mention_counts IS
    'Mentions counted by brand, minute, network and language, kept up to date with every batch written';
COMMENT ON COLUMN overheard.mention_counts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.mention_counts.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.mention_counts.source IS 'The posts'' network';
COMMENT ON COLUMN overheard.mention_counts.language IS 'The posts'' language, und where unknown';
COMMENT ON COLUMN overheard.mention_counts.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.mention_counts.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.mention_counts.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.mention_counts.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.mention_counts.polarity_sum IS 'Sum of polarities; divided by mentions it is the mean';

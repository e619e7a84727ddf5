-- Since when each brand has been heard of, so that rules know how much of the past they may judge by.
-- What posts claim does not tell: one that claims to be a month old would make up a month of silence.

CREATE TABLE overheard.brands_heard (
    brand          text        PRIMARY KEY,
    first_received timestamptz NOT NULL
);

COMMENT ON TABLE overheard.brands_heard IS 'Brands that were mentioned, with when their first mention came in';
COMMENT ON COLUMN overheard.brands_heard.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brands_heard.first_received IS
    'When the first mention was read from Kafka, whatever time it claims; it stays when retention removes the mention';

-- Alerts, what each rule remembers of each brand, and the messages on their way to Kafka.

CREATE TABLE overheard.alerts (
    id             text             PRIMARY KEY,
    state          text             NOT NULL CHECK (state IN ('firing', 'resolved')),
    rule           text             NOT NULL,
    kind           text             NOT NULL CHECK (kind IN ('volume', 'negative_share')),
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
    polarity       double precision CHECK (polarity BETWEEN -1 AND 1),
    CHECK ((state = 'resolved') = (resolved_at IS NOT NULL))
);

CREATE INDEX alerts_open ON overheard.alerts (fired_at) WHERE state = 'firing';

COMMENT ON TABLE overheard.alerts IS 'Incidents: one row each, with what was measured when it fired';
COMMENT ON COLUMN overheard.alerts.id IS 'The id that the firing and the resolved message share';
COMMENT ON COLUMN overheard.alerts.state IS 'firing or resolved';
COMMENT ON COLUMN overheard.alerts.rule IS 'The rule''s id in config/alerts.toml';
COMMENT ON COLUMN overheard.alerts.kind IS 'What the rule watches: volume or negative_share';
COMMENT ON COLUMN overheard.alerts.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.alerts.started_at IS 'When the condition began to hold';
COMMENT ON COLUMN overheard.alerts.fired_at IS 'When it had held for as long as the rule asks';
COMMENT ON COLUMN overheard.alerts.resolved_at IS 'When it had been over for as long as the rule asks; null while firing';
COMMENT ON COLUMN overheard.alerts.window_seconds IS 'Length of the rule''s window in seconds';
COMMENT ON COLUMN overheard.alerts.value IS 'Measured when it fired: mentions in the window, or the share of negative ones';
COMMENT ON COLUMN overheard.alerts.threshold IS 'What the value was held against, in the same unit';
COMMENT ON COLUMN overheard.alerts.mentions IS 'Mentions in the window when it fired';
COMMENT ON COLUMN overheard.alerts.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.alerts.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.alerts.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.alerts.polarity IS 'Their mean polarity, -1 to 1; null without mentions';

CREATE TABLE overheard.alert_states (
    rule        text        NOT NULL,
    brand       text        NOT NULL,
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

CREATE TABLE overheard.outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message_id text        NOT NULL UNIQUE,
    topic      text        NOT NULL,
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
COMMENT ON COLUMN overheard.outbox.topic IS 'The Kafka topic';
COMMENT ON COLUMN overheard.outbox.key IS 'The record''s key: the brand';
COMMENT ON COLUMN overheard.outbox.payload IS 'The record''s value (docs/schemas/alert.schema.json)';
COMMENT ON COLUMN overheard.outbox.created_at IS 'When it was written';
COMMENT ON COLUMN overheard.outbox.sent_at IS 'When Kafka acknowledged it; null until then';

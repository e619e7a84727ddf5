-- What dashboards read. Names and columns of these views are stable; tables may change.

CREATE VIEW overheard.brand_minutes AS
SELECT brand, minute,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions), 0)::double precision AS polarity
FROM overheard.mention_counts
GROUP BY brand, minute;

COMMENT ON VIEW overheard.brand_minutes IS 'Mentions by brand and minute; minutes without mentions have no row';
COMMENT ON COLUMN overheard.brand_minutes.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_minutes.minute IS 'The UTC minute of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_minutes.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_minutes.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_minutes.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_minutes.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_minutes.polarity IS 'Mean polarity, -1 to 1';

CREATE VIEW overheard.brand_hours AS
SELECT brand, date_trunc('hour', minute, 'UTC') AS hour,
       sum(mentions)::bigint AS mentions,
       sum(negative)::bigint AS negative,
       sum(neutral)::bigint AS neutral,
       sum(positive)::bigint AS positive,
       sum(polarity_sum) / nullif(sum(mentions), 0)::double precision AS polarity
FROM overheard.mention_counts
GROUP BY brand, date_trunc('hour', minute, 'UTC');

COMMENT ON VIEW overheard.brand_hours IS
    'Mentions by brand and hour; for a part of the time use brand_minutes, whose minute is indexed';
COMMENT ON COLUMN overheard.brand_hours.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.brand_hours.hour IS 'The UTC hour of the posts'' claimed time';
COMMENT ON COLUMN overheard.brand_hours.mentions IS 'All mentions';
COMMENT ON COLUMN overheard.brand_hours.negative IS 'Those labelled negative';
COMMENT ON COLUMN overheard.brand_hours.neutral IS 'Those labelled neutral';
COMMENT ON COLUMN overheard.brand_hours.positive IS 'Those labelled positive';
COMMENT ON COLUMN overheard.brand_hours.polarity IS 'Mean polarity, -1 to 1';

CREATE VIEW overheard.recent_mentions AS
SELECT m.created_at, m.received_at, m.brand, m.source, m.post_id,
       p.kind, p.author, p.text, p.link, m.language, p.reach,
       m.label, m.negative, m.neutral, m.positive, m.polarity, m.model
FROM overheard.mentions m
LEFT JOIN overheard.posts p
       ON p.source = m.source AND p.id = m.post_id AND p.created_at = m.created_at;

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
COMMENT ON COLUMN overheard.recent_mentions.language IS 'The post''s language, null where unknown';
COMMENT ON COLUMN overheard.recent_mentions.reach IS 'How many people it may have reached';
COMMENT ON COLUMN overheard.recent_mentions.label IS 'negative, neutral or positive';
COMMENT ON COLUMN overheard.recent_mentions.negative IS 'Probability of negative, 0 to 1';
COMMENT ON COLUMN overheard.recent_mentions.neutral IS 'Probability of neutral, 0 to 1';
COMMENT ON COLUMN overheard.recent_mentions.positive IS 'Probability of positive, 0 to 1';
COMMENT ON COLUMN overheard.recent_mentions.polarity IS 'Positive minus negative, -1 to 1';
COMMENT ON COLUMN overheard.recent_mentions.model IS 'The model that scored it';

CREATE VIEW overheard.open_alerts AS
SELECT id, rule, kind, brand, started_at, fired_at, value, threshold, mentions
FROM overheard.alerts
WHERE state = 'firing';

COMMENT ON VIEW overheard.open_alerts IS 'Alerts that are firing now';
COMMENT ON COLUMN overheard.open_alerts.id IS 'The alert''s id';
COMMENT ON COLUMN overheard.open_alerts.rule IS 'The rule''s id';
COMMENT ON COLUMN overheard.open_alerts.kind IS 'volume or negative_share';
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
COMMENT ON COLUMN overheard.alert_history.kind IS 'volume or negative_share';
COMMENT ON COLUMN overheard.alert_history.brand IS 'The brand''s id';
COMMENT ON COLUMN overheard.alert_history.state IS 'firing or resolved';
COMMENT ON COLUMN overheard.alert_history.started_at IS 'When the condition began to hold';
COMMENT ON COLUMN overheard.alert_history.fired_at IS 'When it fired';
COMMENT ON COLUMN overheard.alert_history.resolved_at IS 'When it resolved; null while firing';
COMMENT ON COLUMN overheard.alert_history.value IS 'Measured when it fired: mentions, or share of negative ones';
COMMENT ON COLUMN overheard.alert_history.threshold IS 'What the value was held against';
COMMENT ON COLUMN overheard.alert_history.mentions IS 'Mentions in the rule''s window when it fired';

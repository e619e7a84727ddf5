-- A time series panel in Grafana: the share of positive less that of negative mentions, by brand and hour.
-- Paste it into the query editor of a PostgreSQL data source (mode "Code", format "Time series").
SELECT hour AS "time", brand AS metric, net_sentiment AS value
FROM overheard.net_sentiment_hours
WHERE brand = ANY (ARRAY(SELECT brand FROM overheard.brands)) AND $__timeFilter(hour)
ORDER BY hour;

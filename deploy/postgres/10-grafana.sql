-- Runs once, when the container's data folder is new: the role that dashboards read with.
-- The tables don't exist yet, the daemon makes them, hence default privileges.

\getenv grafana_password OVERHEARD_GRAFANA_DB_PASSWORD

CREATE ROLE grafana LOGIN PASSWORD :'grafana_password';

-- A long query of a dashboard holds back vacuum, and with it the daemon's work list.
ALTER ROLE grafana SET statement_timeout = '15s';
ALTER ROLE grafana SET idle_in_transaction_session_timeout = '15s';
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET search_path = overheard;
ALTER ROLE grafana CONNECTION LIMIT 20;

ALTER DEFAULT PRIVILEGES FOR ROLE overheard GRANT USAGE ON SCHEMAS TO grafana;
ALTER DEFAULT PRIVILEGES FOR ROLE overheard GRANT SELECT ON TABLES TO grafana;

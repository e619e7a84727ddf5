-- Runs once, when the container's data folder is new: the role that dashboards read with. It sees
-- the views, whose names and columns stay, and no table.

\getenv grafana_password OVERHEARD_GRAFANA_DB_PASSWORD

CREATE ROLE grafana LOGIN PASSWORD :'grafana_password';

-- A long query of a dashboard holds back vacuum, and so slows the daemon's queue of pictures.
ALTER ROLE grafana SET statement_timeout = '15s';
ALTER ROLE grafana SET idle_in_transaction_session_timeout = '15s';
ALTER ROLE grafana SET default_transaction_read_only = on;
-- Compiling a query that takes milliseconds takes longer than the query.
ALTER ROLE grafana SET jit = off;
ALTER ROLE grafana SET search_path = overheard;
ALTER ROLE grafana CONNECTION LIMIT 20;

-- The views don't exist yet, the daemon makes them. Default privileges can't tell them from tables,
-- so each is granted when it is made.
CREATE FUNCTION public.grant_views_to_grafana() RETURNS event_trigger
LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    made record;
BEGIN
    FOR made IN SELECT object_type, schema_name, object_identity FROM pg_event_trigger_ddl_commands() LOOP
        IF made.object_type = 'schema' AND made.object_identity = 'overheard' THEN
            GRANT USAGE ON SCHEMA overheard TO grafana;
        ELSIF made.object_type = 'view' AND made.schema_name = 'overheard' THEN
            EXECUTE format('GRANT SELECT ON %s TO grafana', made.object_identity);
        END IF;
    END LOOP;
END
$$;

CREATE EVENT TRIGGER grant_views_to_grafana ON ddl_command_end
    WHEN TAG IN ('CREATE SCHEMA', 'CREATE VIEW')
    EXECUTE FUNCTION public.grant_views_to_grafana();

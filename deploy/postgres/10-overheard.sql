-- Runs once, when the container's data folder is new: the daemon's role. It owns the database, and
-- is no superuser.

\getenv overheard_password OVERHEARD_POSTGRES_PASSWORD

CREATE ROLE overheard LOGIN PASSWORD :'overheard_password';
ALTER DATABASE overheard OWNER TO overheard;

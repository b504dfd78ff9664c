-- Whether the database was created as local: then, and on a simulation, tokens
-- of a local issuer are accepted.

ALTER TABLE database_marker ADD COLUMN local SMALLINT NOT NULL DEFAULT 0;

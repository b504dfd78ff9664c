-- What every service's database has, whatever the service.

CREATE TABLE database_marker (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  simulation SMALLINT NOT NULL,
  incarnation TEXT NOT NULL,
  create_time BIGINT NOT NULL,
  -- The last migration that a binary must know to use this schema.
  min_compatible_version BIGINT NOT NULL,
  -- Business time of a simulation.
  business_time BIGINT
);

CREATE TABLE idempotency (
  caller {key_text} NOT NULL,
  method {key_text} NOT NULL,
  request_id {key_text} NOT NULL,
  digest TEXT NOT NULL,
  outcome_name TEXT NOT NULL,
  outcome_version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  PRIMARY KEY (caller, method, request_id)
);
CREATE INDEX idempotency_by_age ON idempotency (create_time);

CREATE TABLE change_feed (
  insertion {insertion_order},
  -- Given by the sequencer once the row is committed.
  position BIGINT UNIQUE,
  kind {key_text} NOT NULL,
  name {key_text} NOT NULL,
  version BIGINT NOT NULL,
  cause TEXT NOT NULL,
  body {key_text} NOT NULL,
  -- One name to a line, with a line end before the first.
  scopes_before {key_text} NOT NULL,
  scopes_after {key_text} NOT NULL,
  commit_time BIGINT NOT NULL
);
CREATE INDEX change_feed_without_position ON change_feed (insertion)
  WHERE position IS NULL;

-- Who gives positions. Times are the database's.
CREATE TABLE feed_lease (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  holder TEXT NOT NULL,
  fencing BIGINT NOT NULL,
  expire_time BIGINT NOT NULL
);
INSERT INTO feed_lease (id, holder, fencing, expire_time) VALUES (1, '', 0, 0);

CREATE TABLE feed_state (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  -- Last position given.
  head BIGINT NOT NULL,
  -- Last position no longer kept.
  floor BIGINT NOT NULL
);
INSERT INTO feed_state (id, head, floor) VALUES (1, 0, 0);

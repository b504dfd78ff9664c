-- The key of each person, wrapped under a master key: what the columns of a
-- person's own hold is sealed with it. Erasing somebody takes the key away and
-- leaves the row, so that the person is never given another.

CREATE TABLE person_key (
  person {key_text} PRIMARY KEY,
  -- Empty once erased.
  wrapped BYTEA NOT NULL,
  -- Id of the master key; empty once erased.
  master_key {key_text} NOT NULL,
  create_time BIGINT NOT NULL,
  -- Business time at which the person was erased here.
  erase_time BIGINT,
  -- When that was done to the end, files included.
  erased_time BIGINT
);
CREATE INDEX person_key_by_master_key ON person_key (master_key);
CREATE INDEX person_key_to_erase ON person_key (erase_time)
  WHERE erase_time IS NOT NULL AND erased_time IS NULL;

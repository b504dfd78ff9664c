-- Who changed what and who read what. Names of resources, never their content.

CREATE TABLE audit_entry (
  insertion {insertion_order},
  -- Place in the chain, given by the sequencer once the row is committed, with
  -- the two hashes.
  position BIGINT UNIQUE,
  -- Business time of the call, and real time.
  business_time BIGINT NOT NULL,
  record_time BIGINT NOT NULL,
  subject {key_text} NOT NULL,
  -- Bit n stands for the value n of the contract's Role.
  roles BIGINT NOT NULL,
  body {key_text} NOT NULL,
  method {key_text} NOT NULL,
  action TEXT NOT NULL,
  -- One to a line, name and version, with a line end before the first.
  resources {key_text} NOT NULL,
  request_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  salt TEXT NOT NULL,
  -- To all of the above but insertion and position.
  commitment TEXT NOT NULL,
  previous_hash TEXT,
  hash TEXT
);
CREATE INDEX audit_entry_without_position ON audit_entry (insertion)
  WHERE position IS NULL;

CREATE TABLE audit_state (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  -- Of the database when its chain began; a restored copy goes on with it.
  incarnation TEXT NOT NULL,
  position BIGINT NOT NULL,
  -- Empty as long as no entry has a place.
  hash TEXT NOT NULL
);
INSERT INTO audit_state (id, incarnation, position, hash)
  SELECT 1, incarnation, 0, '' FROM database_marker;

-- Heads of the chains of other services. Rows are added, never changed.
CREATE TABLE audit_witness (
  insertion {insertion_order},
  service {key_text} NOT NULL,
  incarnation TEXT NOT NULL,
  position BIGINT NOT NULL,
  hash TEXT NOT NULL,
  -- Real time.
  observe_time BIGINT NOT NULL
);
CREATE INDEX audit_witness_by_service ON audit_witness (service, insertion);

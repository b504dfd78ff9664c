-- Persons can be erased for ever: who was, who has done it, and what must be
-- found of somebody.

ALTER TABLE person ADD COLUMN erase_time BIGINT;

-- Sealed; before, both stood in the decision.
ALTER TABLE application ADD COLUMN decision_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE application ADD COLUMN derogation_proof TEXT NOT NULL DEFAULT '';

CREATE INDEX application_by_person ON application (person);
CREATE INDEX enrolment_by_person ON enrolment (person);

-- Says nothing of who it was.
CREATE TABLE erasure (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  person {key_text} NOT NULL,
  ground TEXT NOT NULL,
  state TEXT NOT NULL,
  acknowledgements TEXT NOT NULL,
  erase_time BIGINT NOT NULL,
  complete_time BIGINT
);
CREATE INDEX erasure_running ON erasure (name) WHERE state = 'RUNNING';

-- Up to where the feeds of other services have been read.
CREATE TABLE peer_feed (
  service {key_text} PRIMARY KEY,
  token TEXT NOT NULL
);

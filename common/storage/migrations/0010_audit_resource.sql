-- Where in the audit trail a resource is named. Derived from audit_entry by the
-- sequencer, in the order of the chain; what is shown is read from there.

CREATE TABLE audit_resource (
  resource {key_text} NOT NULL,
  -- Of an entry in the chain.
  position BIGINT NOT NULL,
  PRIMARY KEY (resource, position)
);

-- The last position whose resources stand above: one that an older binary gives
-- its place is looked up in audit_entry until then.
ALTER TABLE audit_state ADD COLUMN indexed_position BIGINT NOT NULL DEFAULT 0;

CREATE INDEX audit_entry_by_body ON audit_entry (body, position);
CREATE INDEX audit_entry_by_subject ON audit_entry (subject, position);
CREATE INDEX audit_entry_by_time ON audit_entry (record_time);

-- Who may see a resource and all below it as their own. Written with the
-- resource that gives it, `source`, which may be another: the entry of a roster
-- opens the enrolment.

CREATE TABLE ownership (
  owner_key {key_text} NOT NULL,
  owned {key_text} NOT NULL,
  source {key_text} NOT NULL,
  PRIMARY KEY (owner_key, owned, source)
);
CREATE INDEX ownership_by_source ON ownership (source);

-- The identifiers of resources in other systems. What they are stands with the
-- resource; this says that nobody else has them.
CREATE TABLE external_id (
  body {key_text} NOT NULL,
  collection {key_text} NOT NULL,
  system {key_text} NOT NULL,
  value {key_text} NOT NULL,
  resource {key_text} NOT NULL,
  PRIMARY KEY (body, collection, system, value)
);
CREATE INDEX external_id_of ON external_id (resource);

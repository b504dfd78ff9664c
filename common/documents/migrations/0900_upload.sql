-- Files on their way in; their bytes lie outside the database.

CREATE TABLE upload (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  -- Empty once the bytes are removed.
  object_id TEXT NOT NULL,
  byte_size BIGINT NOT NULL,
  content_type TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  state TEXT NOT NULL,
  expire_time BIGINT NOT NULL
);

-- What the collector looks for.
CREATE INDEX upload_to_collect ON upload (state, expire_time);

-- The key of each file: under a master key as long as the file is nobody's,
-- then under the key of the person whose it became. Empty for files from before,
-- which the key file of the upload folder opens, and once the bytes are removed.
-- In base64.
ALTER TABLE upload ADD COLUMN file_key TEXT NOT NULL DEFAULT '';
-- Id of the master key; empty for what is under none.
ALTER TABLE upload ADD COLUMN file_master_key {key_text} NOT NULL DEFAULT '';
CREATE INDEX upload_by_file_master_key ON upload (file_master_key);
CREATE INDEX upload_by_object_id ON upload (object_id);

-- A binary from before keys would give sealed text and sealed files as they are.
UPDATE database_marker SET min_compatible_version = 903;

-- Who sends a file from an account of their own: the subject of the credential.
ALTER TABLE upload ADD COLUMN account {key_text} NOT NULL DEFAULT '';

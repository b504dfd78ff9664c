-- Who sent an application from an account of their own: the subject of the
-- credential, empty for those entered by the body.
ALTER TABLE application ADD COLUMN account {key_text} NOT NULL DEFAULT '';

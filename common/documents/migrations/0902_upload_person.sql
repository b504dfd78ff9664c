-- Whose a file became with the resource that took it: erased with that person.
-- Empty before, and for files that are nobody's own.
ALTER TABLE upload ADD COLUMN person {key_text} NOT NULL DEFAULT '';
CREATE INDEX upload_by_person ON upload (person);

-- The employer whose staff a learner is.
ALTER TABLE roster_entry ADD COLUMN organisation {key_text} NOT NULL DEFAULT '';

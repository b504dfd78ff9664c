-- Whose appeal it is, and who pays: what opens rows to those concerned. A
-- decision bears the id of its enrolment's result.
ALTER TABLE appeal ADD COLUMN enrolment {key_text} NOT NULL DEFAULT '';
UPDATE appeal SET enrolment = COALESCE(
  (SELECT enrolment FROM decision WHERE decision.name = appeal.decision), '');
ALTER TABLE roster_entry ADD COLUMN organisation {key_text} NOT NULL DEFAULT '';

-- Persons can be erased for ever: whose the texts of attendance are, and where
-- somebody is found.

-- The learner whom the entry is about; of a trainer's own, the trainer.
ALTER TABLE attendance_entry ADD COLUMN person {key_text} NOT NULL DEFAULT '';
UPDATE attendance_entry SET person = COALESCE(
  (SELECT roster_entry.person FROM roster_entry
   WHERE roster_entry.enrolment = attendance_entry.enrolment),
  signer);

CREATE INDEX attendance_entry_by_person ON attendance_entry (person);
CREATE INDEX attendance_entry_by_signer ON attendance_entry (signer);
CREATE INDEX attendance_entry_with_texts ON attendance_entry (name)
  WHERE (witness <> '' OR statement <> '' OR reason <> '');
CREATE INDEX completion_record_by_person ON completion_record (person);

-- The cohorts of which a published calendar has named somebody as a trainer.
CREATE TABLE calendar_trainer (
  person {key_text} NOT NULL,
  cohort {key_text} NOT NULL,
  PRIMARY KEY (person, cohort)
);
INSERT INTO calendar_trainer (person, cohort)
  SELECT DISTINCT trainer.name, SUBSTR(calendar.name, 1, LENGTH(calendar.name) - 9)
  FROM trainer
  JOIN calendar ON calendar.body = trainer.body
  JOIN calendar_version ON calendar_version.body = trainer.body
    AND calendar_version.name LIKE
      SUBSTR(calendar.name, 1, LENGTH(calendar.name) - 8) || 'calendarVersions/%'
    AND (calendar_version.half_days LIKE '%"' || trainer.name || '"%'
      OR calendar_version.recipients LIKE '%"' || trainer.name || '"%');

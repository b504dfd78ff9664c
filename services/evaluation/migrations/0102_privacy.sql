-- Whose is what stands sealed: the candidate of a decision, who appeals, and the
-- learner whom a report is about.
ALTER TABLE decision ADD COLUMN person {key_text} NOT NULL DEFAULT '';
ALTER TABLE appeal ADD COLUMN person {key_text} NOT NULL DEFAULT '';
ALTER TABLE note_reader ADD COLUMN learner {key_text} NOT NULL DEFAULT '';
-- The commitment to the reason, in place of an erased reason and its salt.
ALTER TABLE decision ADD COLUMN reason_commitment TEXT NOT NULL DEFAULT '';

CREATE INDEX roster_entry_by_enrolment ON roster_entry (enrolment);
CREATE INDEX result_by_enrolment ON result (enrolment);
CREATE INDEX validation_note_by_enrolment ON validation_note (enrolment);

UPDATE decision SET person = COALESCE(
  (SELECT person FROM result WHERE result.enrolment = decision.enrolment),
  (SELECT person FROM roster_entry
    WHERE roster_entry.enrolment = decision.enrolment), '');
UPDATE appeal SET person = COALESCE(
  (SELECT person FROM result WHERE result.enrolment = appeal.enrolment), '');
-- The name of a reader ends with the id of the person: less /readers/ and that
-- id, which is as long as /persons/ and the id after the body, it is the note's.
UPDATE note_reader SET learner = COALESCE(
  (SELECT validation_note.person FROM validation_note
    WHERE validation_note.name = substr(note_reader.name, 1,
      length(note_reader.name) - length(note_reader.person)
        + length(note_reader.body))), '');

CREATE INDEX roster_entry_by_person ON roster_entry (person);
CREATE INDEX validation_note_by_person ON validation_note (person);
CREATE INDEX note_reader_by_person ON note_reader (person);
CREATE INDEX note_reader_by_learner ON note_reader (learner);
CREATE INDEX conflict_by_person ON conflict (person);
CREATE INDEX decision_by_person ON decision (person);
CREATE INDEX result_by_person ON result (person);
CREATE INDEX appeal_by_person ON appeal (person);

-- What retention looks for.
CREATE INDEX result_by_proclaim_time ON result (body, proclaim_time);
CREATE INDEX appeal_by_answer_time ON appeal (body, answer_time);

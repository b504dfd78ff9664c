-- Assessment plans, validation notes, juries, results and certificates.
-- Every table begins with what a resource always has. `body` is the wall of
-- every query.

-- How each cohort is assessed. The row stands for the cohort in the order of locks.
CREATE TABLE assessment_plan (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  note_required SMALLINT NOT NULL,
  note_min_pages BIGINT NOT NULL,
  note_max_pages BIGINT NOT NULL,
  jury_required SMALLINT NOT NULL,
  jury_quorum BIGINT NOT NULL,
  attendance_floor_basis_points BIGINT,
  marked SMALLINT NOT NULL,
  pass_mark_hundredths BIGINT,
  oral SMALLINT NOT NULL,
  readers_per_note BIGINT NOT NULL,
  writing_start TEXT NOT NULL,
  writing_end TEXT NOT NULL,
  jury_date TEXT NOT NULL,
  note_due_date TEXT,
  certification_mode TEXT NOT NULL,
  certification_mandate TEXT NOT NULL,
  certificate_title TEXT NOT NULL,
  certificate_kind TEXT NOT NULL,
  credit_wording TEXT NOT NULL,
  certifier_display_name TEXT NOT NULL,
  body_display_name TEXT NOT NULL,
  action_title TEXT NOT NULL
);

-- What learners write; one for each enrolment.
CREATE TABLE validation_note (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL,
  person {key_text} NOT NULL,
  person_display_name TEXT NOT NULL,
  state TEXT NOT NULL,
  subject TEXT NOT NULL,
  subject_remarks TEXT NOT NULL,
  subject_decider TEXT NOT NULL,
  subject_decision_time BIGINT,
  version_count BIGINT NOT NULL,
  final_version BIGINT NOT NULL,
  adaptation TEXT NOT NULL,
  reopen_reason TEXT NOT NULL
);

-- Versions of notes. Only ever added.
CREATE TABLE note_version (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  final SMALLINT NOT NULL,
  object_id TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  byte_size BIGINT NOT NULL,
  page_count BIGINT NOT NULL,
  out_of_range SMALLINT NOT NULL,
  late SMALLINT NOT NULL,
  late_reason TEXT NOT NULL,
  late_accepted_by TEXT NOT NULL,
  warnings TEXT NOT NULL
);

-- Readers of notes, and their reports.
CREATE TABLE note_reader (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  person {key_text} NOT NULL,
  person_display_name TEXT NOT NULL,
  reported SMALLINT NOT NULL,
  comments TEXT NOT NULL,
  mark_hundredths BIGINT,
  report_time BIGINT
);

-- Declared conflicts of interest.
CREATE TABLE conflict (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  person {key_text} NOT NULL,
  enrolment {key_text} NOT NULL,
  category TEXT NOT NULL,
  UNIQUE (enrolment, person)
);

CREATE TABLE jury (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  session_date TEXT NOT NULL,
  place TEXT NOT NULL,
  members TEXT NOT NULL,
  state TEXT NOT NULL,
  quorum BIGINT NOT NULL,
  candidates TEXT NOT NULL,
  open_time BIGINT,
  close_time BIGINT
);

-- Decisions of juries. Revised until the minutes are closed.
CREATE TABLE decision (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  reason_salt TEXT NOT NULL,
  mark_hundredths BIGINT,
  deciding_members TEXT NOT NULL,
  corrects {key_text} NOT NULL,
  corrected_by {key_text} NOT NULL,
  decide_time BIGINT NOT NULL
);

-- Closed minutes: the chain of each body. Never changed.
CREATE TABLE minutes (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  position BIGINT NOT NULL,
  text TEXT NOT NULL,
  text_salt TEXT NOT NULL,
  digest TEXT NOT NULL,
  previous_digest TEXT NOT NULL,
  awarded_count BIGINT NOT NULL,
  deferred_count BIGINT NOT NULL,
  refused_count BIGINT NOT NULL,
  departed TEXT NOT NULL,
  close_time BIGINT NOT NULL,
  UNIQUE (body, position)
);

-- What came out for each enrolment.
CREATE TABLE result (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL,
  person {key_text} NOT NULL,
  person_display_name TEXT NOT NULL,
  outcome TEXT NOT NULL,
  decision {key_text} NOT NULL,
  certificate {key_text} NOT NULL,
  proclaim_time BIGINT NOT NULL
);

CREATE TABLE appeal (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  decision {key_text} NOT NULL,
  ground TEXT NOT NULL,
  statement TEXT NOT NULL,
  state TEXT NOT NULL,
  answer TEXT NOT NULL,
  answered_by TEXT NOT NULL,
  answer_time BIGINT
);
CREATE INDEX appeal_by_decision ON appeal (decision);

CREATE TABLE certificate (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL,
  decision {key_text} NOT NULL,
  state TEXT NOT NULL,
  number {key_text} NOT NULL,
  code TEXT NOT NULL,
  holder_display_name TEXT NOT NULL,
  title TEXT NOT NULL,
  kind TEXT NOT NULL,
  certifier_display_name TEXT NOT NULL,
  credit_wording TEXT NOT NULL,
  mandate_reference TEXT NOT NULL,
  award_date TEXT NOT NULL,
  issue_count BIGINT NOT NULL,
  duplicate SMALLINT NOT NULL,
  revoke_reason TEXT NOT NULL
);
-- A number is never given twice within a body.
CREATE UNIQUE INDEX certificate_by_number ON certificate (body, number)
  WHERE number <> '';
CREATE INDEX certificate_by_number_alone ON certificate (number);
CREATE INDEX certificate_by_enrolment ON certificate (enrolment);

-- Who takes part: a copy of what enrolment owns.
CREATE TABLE roster_entry (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL,
  person {key_text} NOT NULL,
  display_name TEXT NOT NULL,
  payer_kind TEXT NOT NULL,
  funder_id TEXT NOT NULL,
  has_measures SMALLINT NOT NULL,
  state TEXT NOT NULL
);

-- Last number given in each series without gaps.
CREATE TABLE series (
  body {key_text} NOT NULL,
  series {key_text} NOT NULL,
  -- 0 for a series that has no years.
  year BIGINT NOT NULL,
  last_number BIGINT NOT NULL,
  PRIMARY KEY (body, series, year)
);

-- Up to where the roster follows enrolment's feed.
CREATE TABLE roster_position (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  token TEXT NOT NULL
);
INSERT INTO roster_position (id, token) VALUES (1, '');

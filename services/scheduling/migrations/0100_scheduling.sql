-- Venues, calendars, bookings, rosters, attendance, completion records.
-- Every table of resources begins with what a resource always has. `body` is
-- the wall of every query.

CREATE TABLE venue (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  address_lines TEXT NOT NULL,
  kind TEXT NOT NULL,
  capacity BIGINT,
  access_text TEXT NOT NULL
);

CREATE TABLE room (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  capacity BIGINT
);

-- Names copied from enrolment; the row that bookings of the person lock.
CREATE TABLE trainer (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL
);

CREATE TABLE calendar (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  cohort_display_name TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  programme {key_text} NOT NULL,
  module_ids TEXT NOT NULL,
  programme_minutes BIGINT NOT NULL,
  published_version BIGINT NOT NULL
);

CREATE TABLE half_day (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  local_date TEXT NOT NULL,
  half TEXT NOT NULL,
  local_start BIGINT NOT NULL,
  local_end BIGINT NOT NULL,
  day_kind TEXT NOT NULL,
  module_ids TEXT NOT NULL,
  venue {key_text} NOT NULL,
  room {key_text} NOT NULL,
  trainers TEXT NOT NULL,
  start_time BIGINT NOT NULL,
  end_time BIGINT NOT NULL,
  CHECK (start_time < end_time)
);
CREATE INDEX half_day_by_venue ON half_day (venue) WHERE venue <> '';
CREATE INDEX half_day_by_room ON half_day (room) WHERE room <> '';

-- What a half-day has for itself from start_time until before end_time. Two of
-- one resource never overlap: decided under the lock of the resource's row.
CREATE TABLE booking (
  resource {key_text} NOT NULL,
  half_day {key_text} NOT NULL REFERENCES half_day (name),
  start_time BIGINT NOT NULL,
  end_time BIGINT NOT NULL,
  PRIMARY KEY (resource, half_day)
);
CREATE INDEX booking_by_time ON booking (resource, start_time, end_time);
CREATE INDEX booking_by_half_day ON booking (half_day);

CREATE TABLE calendar_version (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  number BIGINT NOT NULL,
  reason TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  half_days TEXT NOT NULL,
  missing_items TEXT NOT NULL,
  recipients TEXT NOT NULL,
  amendments_needed TEXT NOT NULL
);

CREATE TABLE roster_entry (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL UNIQUE,
  person {key_text} NOT NULL,
  display_name TEXT NOT NULL,
  payer_kind TEXT NOT NULL,
  funder_id TEXT NOT NULL,
  has_measures SMALLINT NOT NULL,
  state TEXT NOT NULL,
  since_time BIGINT NOT NULL,
  until_time BIGINT
);
CREATE INDEX roster_entry_by_person ON roster_entry (person);

-- How far enrolment's feed is applied.
CREATE TABLE enrolment_position (
  id BIGINT PRIMARY KEY CHECK (id = 1),
  token TEXT NOT NULL
);
INSERT INTO enrolment_position (id, token) VALUES (1, '');

CREATE TABLE attendance_sheet (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  state TEXT NOT NULL,
  entry_count BIGINT NOT NULL,
  chain_head TEXT NOT NULL,
  root TEXT NOT NULL,
  close_time BIGINT,
  close_reason TEXT NOT NULL,
  closed_by TEXT NOT NULL
);

CREATE TABLE attendance_entry (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  act TEXT NOT NULL,
  signer {key_text} NOT NULL,
  signer_role TEXT NOT NULL,
  enrolment {key_text} NOT NULL,
  status TEXT NOT NULL,
  arrival_time BIGINT,
  departure_time BIGINT,
  attended_minutes BIGINT NOT NULL,
  means TEXT NOT NULL,
  witness TEXT NOT NULL,
  statement TEXT NOT NULL,
  reason TEXT NOT NULL,
  salt TEXT NOT NULL,
  content_commitment TEXT NOT NULL,
  late SMALLINT NOT NULL,
  to_reconcile SMALLINT NOT NULL,
  about {key_text} NOT NULL,
  accepted SMALLINT NOT NULL,
  author TEXT NOT NULL,
  previous_hash {key_text} NOT NULL,
  hash {key_text} NOT NULL UNIQUE
);
-- A chain does not fork.
CREATE UNIQUE INDEX attendance_entry_chain ON attendance_entry (previous_hash)
  WHERE previous_hash <> '';

CREATE TABLE completion_record (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  enrolment {key_text} NOT NULL UNIQUE,
  person {key_text} NOT NULL,
  learner_display_name TEXT NOT NULL,
  organisation_display_name TEXT NOT NULL,
  body_display_name TEXT NOT NULL,
  action_title TEXT NOT NULL,
  start_date TEXT NOT NULL,
  end_date TEXT NOT NULL,
  scheduled_minutes BIGINT NOT NULL,
  due_minutes BIGINT NOT NULL,
  attended_minutes BIGINT NOT NULL,
  justified_minutes BIGINT NOT NULL,
  partial SMALLINT NOT NULL,
  printed_text TEXT NOT NULL,
  evidence TEXT NOT NULL
);

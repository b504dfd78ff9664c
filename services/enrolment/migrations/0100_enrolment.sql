-- Bodies, programmes, cohorts, people, applications, agreements, enrolments.
-- Every table begins with what a resource always has. `body` is the wall of
-- every query.

CREATE TABLE body (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL,
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  legal_name TEXT NOT NULL,
  siret TEXT NOT NULL,
  activity_number TEXT NOT NULL,
  address_lines TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  time_zone TEXT NOT NULL
);

CREATE TABLE programme (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  access_conditions TEXT NOT NULL,
  rank_event TEXT NOT NULL,
  required_pieces TEXT NOT NULL,
  content BYTEA NOT NULL
);

CREATE TABLE cohort (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  programme {key_text} NOT NULL REFERENCES programme (name),
  display_name TEXT NOT NULL,
  capacity BIGINT NOT NULL CHECK (capacity >= 1),
  minimum BIGINT NOT NULL CHECK (minimum >= 1),
  time_zone TEXT NOT NULL,
  application_open_date TEXT NOT NULL,
  application_close_date TEXT NOT NULL,
  start_date TEXT NOT NULL,
  end_date TEXT NOT NULL,
  entry_cutoff_date TEXT NOT NULL,
  commitment_deadline_days BIGINT,
  offer_validity_hours BIGINT,
  prices TEXT NOT NULL,
  funders TEXT NOT NULL,
  state TEXT NOT NULL,
  go_decision TEXT NOT NULL,
  go_decision_time BIGINT NOT NULL,
  go_decider TEXT NOT NULL,
  go_reason TEXT NOT NULL,
  content BYTEA NOT NULL
);

CREATE TABLE person (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  given_name TEXT NOT NULL,
  family_name TEXT NOT NULL,
  birth_name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  external_ids TEXT NOT NULL
);

CREATE TABLE organisation (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  siret TEXT NOT NULL,
  opco TEXT NOT NULL,
  signatory TEXT NOT NULL,
  hr_email TEXT NOT NULL,
  billing_email TEXT NOT NULL,
  public_buyer SMALLINT NOT NULL,
  invoice_service_code TEXT NOT NULL,
  external_ids TEXT NOT NULL
);

CREATE TABLE application (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  cohort {key_text} NOT NULL REFERENCES cohort (name),
  person {key_text} NOT NULL REFERENCES person (name),
  given_name TEXT NOT NULL,
  family_name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  qualification TEXT NOT NULL,
  candidate_key {key_text} NOT NULL,
  payer_kind TEXT NOT NULL,
  payer_organisation TEXT NOT NULL,
  payer_funder_id TEXT NOT NULL,
  channel TEXT NOT NULL,
  declared_time BIGINT,
  pieces TEXT NOT NULL,
  pieces_due_time BIGINT,
  review_state TEXT NOT NULL,
  meets_access_conditions SMALLINT NOT NULL,
  decision TEXT NOT NULL,
  rank BIGINT NOT NULL CHECK (rank >= 0),
  place_state TEXT NOT NULL,
  place_expire_time BIGINT,
  submit_time BIGINT NOT NULL,
  rank_time BIGINT
);
-- Nobody shares a rank, whatever the code above it does.
CREATE UNIQUE INDEX application_by_rank ON application (cohort, rank)
  WHERE rank > 0;
CREATE UNIQUE INDEX application_by_candidate
  ON application (cohort, candidate_key) WHERE review_state <> 'WITHDRAWN';
CREATE INDEX application_by_place ON application (cohort, place_state, rank);
CREATE INDEX application_place_due ON application (place_expire_time)
  WHERE place_expire_time IS NOT NULL;
CREATE INDEX application_pieces_due ON application (pieces_due_time)
  WHERE pieces_due_time IS NOT NULL;

-- The last rank that a cohort has given: a rank that was lost is never given
-- again, so it cannot be derived from the applications.
CREATE TABLE cohort_rank (
  cohort {key_text} PRIMARY KEY REFERENCES cohort (name),
  last_rank BIGINT NOT NULL
);

CREATE TABLE place_event (
  insertion {insertion_order},
  application {key_text} NOT NULL,
  body {key_text} NOT NULL,
  event_time BIGINT NOT NULL,
  place_state TEXT NOT NULL,
  cause TEXT NOT NULL,
  taken_count BIGINT NOT NULL,
  capacity BIGINT NOT NULL,
  rule TEXT NOT NULL,
  text_fr TEXT NOT NULL,
  text_en TEXT NOT NULL
);
CREATE INDEX place_event_of ON place_event (application, insertion);

CREATE TABLE agreement (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  application {key_text} NOT NULL REFERENCES application (name),
  cohort {key_text} NOT NULL REFERENCES cohort (name),
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  payer_kind TEXT NOT NULL,
  organisation TEXT NOT NULL,
  price_cents BIGINT CHECK (price_cents >= 0),
  at_distance SMALLINT NOT NULL,
  signatory TEXT NOT NULL,
  sign_time BIGINT,
  withdrawal_end_date TEXT,
  withdrawal_rule TEXT NOT NULL,
  requested_cents BIGINT NOT NULL CHECK (requested_cents >= 0),
  end_reason TEXT NOT NULL,
  external_ids TEXT NOT NULL
);
CREATE INDEX agreement_of ON agreement (application);

CREATE TABLE enrolment (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  cohort {key_text} NOT NULL REFERENCES cohort (name),
  application {key_text} NOT NULL REFERENCES application (name),
  person {key_text} NOT NULL REFERENCES person (name),
  person_display_name TEXT NOT NULL,
  state TEXT NOT NULL,
  payer_kind TEXT NOT NULL,
  organisation TEXT NOT NULL,
  funder_id TEXT NOT NULL,
  commitment TEXT NOT NULL,
  commitment_reference TEXT NOT NULL,
  enrol_time BIGINT NOT NULL,
  end_date TEXT,
  end_reason TEXT NOT NULL,
  force_majeure SMALLINT NOT NULL,
  has_measures SMALLINT NOT NULL,
  external_ids TEXT NOT NULL
);
-- One participation at a time for each application.
CREATE UNIQUE INDEX enrolment_of ON enrolment (application)
  WHERE state IN ('ENROLLED', 'STARTED', 'COMPLETED');
CREATE INDEX enrolment_by_state ON enrolment (cohort, state);

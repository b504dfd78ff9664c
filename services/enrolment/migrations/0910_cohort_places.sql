-- How many places of a cohort stand in each state, kept beside its last rank:
-- to count them under its lock took longer the more applications wait.

ALTER TABLE cohort_rank RENAME TO cohort_places;
ALTER TABLE cohort_places
  ADD COLUMN held BIGINT NOT NULL DEFAULT 0 CHECK (held >= 0);
ALTER TABLE cohort_places
  ADD COLUMN offered BIGINT NOT NULL DEFAULT 0 CHECK (offered >= 0);
ALTER TABLE cohort_places
  ADD COLUMN confirmed BIGINT NOT NULL DEFAULT 0 CHECK (confirmed >= 0);
ALTER TABLE cohort_places
  ADD COLUMN at_risk BIGINT NOT NULL DEFAULT 0 CHECK (at_risk >= 0);
ALTER TABLE cohort_places
  ADD COLUMN waitlisted BIGINT NOT NULL DEFAULT 0 CHECK (waitlisted >= 0);

INSERT INTO cohort_places (cohort, last_rank)
  SELECT DISTINCT cohort, 0 FROM application
  WHERE cohort NOT IN (SELECT cohort FROM cohort_places);
UPDATE cohort_places SET
  held = (SELECT COUNT(*) FROM application AS a
    WHERE a.cohort = cohort_places.cohort AND a.place_state = 'HELD'),
  offered = (SELECT COUNT(*) FROM application AS a
    WHERE a.cohort = cohort_places.cohort AND a.place_state = 'OFFERED'),
  confirmed = (SELECT COUNT(*) FROM application AS a
    WHERE a.cohort = cohort_places.cohort AND a.place_state = 'CONFIRMED'),
  at_risk = (SELECT COUNT(*) FROM application AS a
    WHERE a.cohort = cohort_places.cohort AND a.place_state = 'AT_RISK'),
  waitlisted = (SELECT COUNT(*) FROM application AS a
    WHERE a.cohort = cohort_places.cohort AND a.place_state = 'WAITLISTED');

-- A binary from before would change applications without keeping the counts.
UPDATE database_marker SET min_compatible_version = 910;

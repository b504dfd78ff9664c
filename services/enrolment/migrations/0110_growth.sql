-- What would be looked for in the whole table.

-- The participation of an application, whatever has become of it.
CREATE INDEX enrolment_by_application ON enrolment (application, name);
-- Cohorts whose first or last day has come.
CREATE INDEX cohort_by_state ON cohort (state, start_date);

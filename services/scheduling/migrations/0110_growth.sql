-- Whose calendars a change of a programme concerns.
CREATE INDEX calendar_by_programme ON calendar (programme);

-- A binary from before keys of persons would give sealed text as it is.
UPDATE database_marker SET min_compatible_version = 110;

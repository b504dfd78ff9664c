-- Whose calendars a change of a programme concerns.
CREATE INDEX calendar_by_programme ON calendar (programme);

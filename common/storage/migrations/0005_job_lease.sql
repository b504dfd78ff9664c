-- Who does a job that one replica does at a time. Times are the database's.

CREATE TABLE job_lease (
  job {key_text} PRIMARY KEY,
  -- Empty once given up.
  holder TEXT NOT NULL,
  -- Another, and greater, for each new holder.
  fencing BIGINT NOT NULL,
  expire_time BIGINT NOT NULL
);

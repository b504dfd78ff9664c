-- The programs that call in a partner's name. Of a secret there is a keyed
-- digest only. Times of credentials are real, also in a simulation.
CREATE TABLE api_client (
  name {key_text} PRIMARY KEY,
  body {key_text} NOT NULL REFERENCES body (name),
  version BIGINT NOT NULL,
  create_time BIGINT NOT NULL,
  update_time BIGINT NOT NULL,
  display_name TEXT NOT NULL,
  purpose TEXT NOT NULL,
  contact_name TEXT NOT NULL,
  contact_email TEXT NOT NULL,
  roles TEXT NOT NULL,
  organisation TEXT NOT NULL,
  funder_id TEXT NOT NULL,
  calls_per_minute BIGINT NOT NULL CHECK (calls_per_minute >= 1),
  expire_time BIGINT NOT NULL,
  disabled SMALLINT NOT NULL,
  secrets TEXT NOT NULL
);

-- When a token was last issued for a secret: beside the client, whose version
-- it does not change.
CREATE TABLE api_client_use (
  client {key_text} NOT NULL REFERENCES api_client (name),
  secret {key_text} NOT NULL,
  last_use_time BIGINT NOT NULL,
  PRIMARY KEY (client, secret)
);

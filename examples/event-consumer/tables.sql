-- The tables of the consumer. They are in the same database as the effects, because one transaction changes both.

-- IF NOT EXISTS fails when two consumers start at the same moment. The lock ends with the transaction.
SELECT pg_advisory_xact_lock(hashtext('tables of the event consumer'));

-- The events that were taken from the queue. A repeat has an id that is here already.
CREATE TABLE IF NOT EXISTS taken_events (
  id text PRIMARY KEY,
  taken_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS taken_events_taken_at ON taken_events (taken_at);

-- The highest sequence that was processed, for each subject. Its row is locked while an event of the subject is processed.
CREATE TABLE IF NOT EXISTS event_subjects (
  subject text PRIMARY KEY,
  sequence bigint NOT NULL DEFAULT 0
);

-- Events that came before an earlier one of their subject.
CREATE TABLE IF NOT EXISTS waiting_events (
  subject text NOT NULL,
  sequence bigint NOT NULL,
  body text NOT NULL,
  since timestamptz NOT NULL DEFAULT now(),
  failures integer NOT NULL DEFAULT 0,
  failed_at timestamptz,
  PRIMARY KEY (subject, sequence)
);

-- The effects: what this service wants to know about the accounts of Gatehouse.
CREATE TABLE IF NOT EXISTS people (
  id text PRIMARY KEY,
  active boolean NOT NULL,
  -- The sequence of the event that set `active`. An event that comes late must not overwrite a newer value.
  active_sequence bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS people_history (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  person text NOT NULL,
  type text NOT NULL,
  sequence bigint NOT NULL
);

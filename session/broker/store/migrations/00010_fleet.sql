-- Relays that share this database, which of them serves which session, and the wrong tries that they tell each other.

-- +goose Up
CREATE TABLE relays (
    id       TEXT     NOT NULL PRIMARY KEY, -- of its data folder
    addr     TEXT     NOT NULL,             -- host:port that clients dial
    pin      TEXT     NOT NULL,             -- fingerprint of its key
    region   TEXT     NOT NULL,
    software TEXT     NOT NULL,
    started  BIGINT   NOT NULL,
    beat     BIGINT   NOT NULL,             -- by the database's clock; its lease on all its routes counts from here; 0: it has gone
    draining SMALLINT NOT NULL DEFAULT 0,   -- asked to give its sessions away
    sessions BIGINT   NOT NULL,
    conns    BIGINT   NOT NULL
);

CREATE TABLE session_routes (
    session_id BYTEA  NOT NULL PRIMARY KEY REFERENCES sessions (id),
    relay_id   TEXT   NOT NULL,
    epoch      BIGINT NOT NULL              -- grows with every change of hands
);
CREATE INDEX session_routes_by_relay ON session_routes (relay_id);

-- At which relay a machine is connected.
CREATE TABLE machine_places (
    machine_id TEXT NOT NULL PRIMARY KEY REFERENCES machines (id) ON DELETE CASCADE,
    relay_id   TEXT NOT NULL
);

CREATE TABLE wrong_tries (
    id       BIGINT   NOT NULL PRIMARY KEY,
    relay_id TEXT     NOT NULL,             -- that counted it already
    kind     TEXT     NOT NULL,             -- code, login
    account  TEXT     NOT NULL,
    address  TEXT     NOT NULL,
    at       BIGINT   NOT NULL
);

-- What has to be the same at all relays, as an HMAC under it.
CREATE TABLE fleet_marks (
    name TEXT  NOT NULL PRIMARY KEY,
    mark BYTEA NOT NULL
);

-- +goose Down
DROP TABLE fleet_marks;
DROP TABLE wrong_tries;
DROP TABLE machine_places;
DROP TABLE session_routes;
DROP TABLE relays;

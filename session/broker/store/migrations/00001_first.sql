-- Times are unix milliseconds, 0: never. Keys, ids and hashes are raw bytes. Only what SQLite and PostgreSQL share.

-- +goose Up
CREATE TABLE organisations (
    id       TEXT     NOT NULL PRIMARY KEY,
    handle   TEXT     NOT NULL UNIQUE,
    skeleton TEXT     NOT NULL UNIQUE, -- the handle with look-alikes made equal
    title    TEXT     NOT NULL,
    pub      BYTEA    NOT NULL,        -- Ed25519 public key; the private one is not here
    created  BIGINT   NOT NULL,
    disabled BIGINT   NOT NULL DEFAULT 0
);

CREATE TABLE agents (
    id       TEXT     NOT NULL PRIMARY KEY,
    org_id   TEXT     NOT NULL REFERENCES organisations (id),
    name     TEXT     NOT NULL,
    skeleton TEXT     NOT NULL,
    password TEXT     NOT NULL,        -- argon2id, PHC string
    admin    SMALLINT NOT NULL DEFAULT 0,
    created  BIGINT   NOT NULL,
    disabled BIGINT   NOT NULL DEFAULT 0,
    UNIQUE (org_id, name),
    UNIQUE (org_id, skeleton)
);

CREATE TABLE devices (
    agent_id TEXT     NOT NULL REFERENCES agents (id),
    device   BYTEA    NOT NULL,        -- SHA-256 of the SubjectPublicKeyInfo
    name     TEXT     NOT NULL,
    cert     TEXT     NOT NULL,        -- signed by the organisation, empty: none
    created  BIGINT   NOT NULL,
    seen     BIGINT   NOT NULL,
    PRIMARY KEY (agent_id, device)
);

CREATE TABLE tokens (
    hash     BYTEA    NOT NULL PRIMARY KEY, -- SHA-256 of the token; the token is not here
    agent_id TEXT     NOT NULL REFERENCES agents (id),
    device   BYTEA    NOT NULL,
    created  BIGINT   NOT NULL,
    expires  BIGINT   NOT NULL
);
CREATE INDEX tokens_by_agent ON tokens (agent_id);
CREATE INDEX tokens_by_end ON tokens (expires);

CREATE TABLE sessions (
    id         BYTEA    NOT NULL PRIMARY KEY,
    code       BYTEA    NOT NULL,            -- HMAC of the code; the code is not here
    owner      BYTEA,                        -- outer key of the host, by which it may come back
    host_key   BYTEA,                        -- key of the host inside the link
    started_by TEXT     NOT NULL DEFAULT '', -- agent, empty: the customer
    minted     BIGINT   NOT NULL,
    expires    BIGINT   NOT NULL,            -- of the code, 0: as long as the session
    closed     BIGINT   NOT NULL DEFAULT 0,  -- no further joins
    ended      BIGINT   NOT NULL DEFAULT 0
);
CREATE INDEX sessions_open ON sessions (ended);

-- A code stays here for a while after its end, so that it is not given out again.
CREATE TABLE codes (
    code    BYTEA  NOT NULL PRIMARY KEY,
    free_at BIGINT NOT NULL -- 0: in use
);

CREATE TABLE joins (
    session_id BYTEA  NOT NULL REFERENCES sessions (id),
    agent_id   TEXT   NOT NULL REFERENCES agents (id),
    first      BIGINT NOT NULL,
    PRIMARY KEY (session_id, agent_id)
);

CREATE TABLE audit_events (
    seq     BIGINT NOT NULL PRIMARY KEY, -- from 1, without gaps
    at      BIGINT NOT NULL,
    kind    TEXT   NOT NULL,
    actor   TEXT   NOT NULL,
    device  BYTEA,
    address TEXT   NOT NULL,
    session BYTEA,
    outcome TEXT   NOT NULL,
    detail  TEXT   NOT NULL,
    prev    BYTEA  NOT NULL,             -- hash of the event before
    hash    BYTEA  NOT NULL
);

-- +goose Down
DROP TABLE audit_events;
DROP TABLE joins;
DROP TABLE codes;
DROP TABLE sessions;
DROP TABLE tokens;
DROP TABLE devices;
DROP TABLE agents;
DROP TABLE organisations;

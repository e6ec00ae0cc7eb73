/**
 * The database's schema as steps forward: step n takes a database of version n (SQLite's `user_version`) to n + 1.
 * A released step is never edited; a change of schema is a new step at the end.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE containers (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE, -- namespace/name
    document    TEXT NOT NULL,        -- the Container as JSON
    spec_hash   TEXT NOT NULL,
    image_id    TEXT NOT NULL,
    config_hash TEXT NOT NULL,        -- SHA-256 of the bundle's config.json as it was written
    created_at  INTEGER NOT NULL      -- milliseconds since the epoch, as every time here
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE images (
    name            TEXT PRIMARY KEY, -- normalised reference
    image_id        TEXT NOT NULL,    -- digest of the config blob
    manifest_digest TEXT NOT NULL,
    chain_ids       TEXT NOT NULL,    -- JSON array, bottom layer first
    created_at      INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE facts (
    name     TEXT PRIMARY KEY,
    document TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE desired (
    name       TEXT PRIMARY KEY,
    source     TEXT NOT NULL,
    location   TEXT NOT NULL,
    generation INTEGER NOT NULL,
    spec_hash  TEXT NOT NULL,
    document   TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    first_time INTEGER NOT NULL,
    last_time  INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    type       TEXT NOT NULL,
    reason     TEXT NOT NULL,
    message    TEXT NOT NULL,
    name       TEXT                   -- NULL for what concerns no single container
  ) STRICT;
  CREATE INDEX events_by_subject ON events (name, reason);
  `,
  `
  CREATE TABLE networks (
    name    TEXT PRIMARY KEY,
    subnet4 TEXT NOT NULL,
    subnet6 TEXT          -- NULL where the host had no IPv6 when it was made
  ) STRICT, WITHOUT ROWID;

  -- An address that is or was a container's. It is given back by the very deletion of the container's record.
  CREATE TABLE leases (
    network      TEXT NOT NULL REFERENCES networks (name),
    host         INTEGER NOT NULL, -- the address's number in the subnet
    container_id TEXT REFERENCES containers (id) ON DELETE SET NULL,
    released_at  INTEGER,
    PRIMARY KEY (network, host)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX leases_by_container ON leases (container_id) WHERE container_id IS NOT NULL;
  CREATE INDEX leases_free ON leases (network, released_at) WHERE container_id IS NULL;
  CREATE TRIGGER lease_released AFTER UPDATE OF container_id ON leases WHEN NEW.container_id IS NULL BEGIN
    UPDATE leases SET released_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE network = NEW.network AND host = NEW.host;
  END;
  `,
  `
  ALTER TABLE images ADD COLUMN repo_digest TEXT; -- digest of what a registry keeps under the name; NULL where none is known
  `,
  `
  CREATE TABLE desired_of_kinds (
    kind       TEXT NOT NULL, -- Container, Network, Volume
    name       TEXT NOT NULL,
    source     TEXT NOT NULL,
    location   TEXT NOT NULL,
    generation INTEGER NOT NULL,
    spec_hash  TEXT NOT NULL,
    document   TEXT NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO desired_of_kinds SELECT 'Container', name, source, location, generation, spec_hash, document FROM desired;
  DROP TABLE desired;
  ALTER TABLE desired_of_kinds RENAME TO desired;

  ALTER TABLE events ADD COLUMN kind TEXT; -- what \`name\` is the name of
  UPDATE events SET kind = 'Container' WHERE name IS NOT NULL;
  DROP INDEX events_by_subject;
  CREATE INDEX events_by_subject ON events (kind, name, reason);
  `,
  `
  -- Steps of builds, by all that they depend on. What a row names stays in the store for as long as the row does.
  CREATE TABLE build_cache (
    key         TEXT PRIMARY KEY,
    diff_id     TEXT NOT NULL,
    chain_id    TEXT NOT NULL,
    size        INTEGER NOT NULL,
    description TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    used_at     INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE networks ADD COLUMN document TEXT; -- the Network as JSON; NULL for the default one
  ALTER TABLE networks ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;

  CREATE TABLE endpoints (
    container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
    network      TEXT NOT NULL REFERENCES networks (name),
    slot         INTEGER NOT NULL, -- n of its interface eth<n>
    port         TEXT,             -- of the bridge, in its last run
    PRIMARY KEY (container_id, network)
  ) STRICT, WITHOUT ROWID;

  -- An address that is or was a container's. It is given back by the very deletion of the container's record.
  CREATE TABLE addresses (
    network      TEXT NOT NULL REFERENCES networks (name),
    family       INTEGER NOT NULL, -- 4 or 6
    host         TEXT NOT NULL,    -- the address's number in the subnet: 32 hexadecimal digits
    container_id TEXT REFERENCES containers (id) ON DELETE SET NULL,
    released_at  INTEGER,
    in_turn      INTEGER NOT NULL, -- 0 where somebody asked for this very one
    PRIMARY KEY (network, family, host)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX addresses_by_container ON addresses (container_id, network, family) WHERE container_id IS NOT NULL;
  CREATE INDEX addresses_free ON addresses (network, family, released_at) WHERE container_id IS NULL;
  CREATE TRIGGER address_released AFTER UPDATE OF container_id ON addresses WHEN NEW.container_id IS NULL BEGIN
    UPDATE addresses SET released_at = CAST(unixepoch('subsec') * 1000 AS INTEGER) WHERE network = NEW.network AND family = NEW.family AND host = NEW.host;
  END;

  INSERT INTO endpoints SELECT container_id, network, 0, NULL FROM leases WHERE container_id IS NOT NULL;
  INSERT INTO addresses SELECT network, 4, printf('%032x', host), container_id, released_at, 1 FROM leases;
  INSERT INTO addresses SELECT network, 6, printf('%032x', host), container_id, released_at, 1 FROM leases JOIN networks ON name = network WHERE subnet6 IS NOT NULL;
  DROP TABLE leases;
  `,
  `
  CREATE TABLE volumes (
    name       TEXT PRIMARY KEY,
    document   TEXT NOT NULL,        -- the Volume as JSON
    folder     TEXT NOT NULL UNIQUE, -- below <data-dir>/volumes
    owner      TEXT,                 -- name of the container whose own it is
    mount_path TEXT,                 -- where that has it
    released   INTEGER NOT NULL,     -- 1: nobody wants it any more, and its data is kept
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX volumes_by_owner ON volumes (owner) WHERE owner IS NOT NULL;

  -- A volume that a container has. It can't go before the container's record does.
  CREATE TABLE volume_uses (
    container_id TEXT NOT NULL REFERENCES containers (id) ON DELETE CASCADE,
    mount_path   TEXT NOT NULL,
    volume       TEXT NOT NULL REFERENCES volumes (name),
    fresh        INTEGER NOT NULL, -- 1: not made ready for this container yet
    copies       INTEGER NOT NULL, -- 1: begins with what the image has there
    PRIMARY KEY (container_id, mount_path)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX volume_uses_by_volume ON volume_uses (volume);
  `,
  `
  CREATE TABLE tokens (
    name       TEXT PRIMARY KEY,
    hash       TEXT NOT NULL UNIQUE, -- SHA-256 of the secret, which is kept nowhere
    scope      TEXT NOT NULL,        -- verbs, containers and namespaces as JSON
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  `
  ALTER TABLE containers ADD COLUMN config TEXT; -- digests of what it was given of ConfigMaps and Secrets, as JSON; NULL for nothing
  `,
];

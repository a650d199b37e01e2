-- A channel is one room for all logins that see it. Before, a private channel was one room for
-- each of them (scope is the login). The oldest is kept; what the others have is merged into it.

-- +goose Up
CREATE TABLE bridge_merge ( -- old is merged into kept
    old  BIGINT NOT NULL PRIMARY KEY,
    kept BIGINT NOT NULL
);
INSERT INTO bridge_merge (old, kept)
SELECT r.id, (SELECT min(o.id) FROM bridge_rooms o WHERE o.gateway = r.gateway AND o.key = r.key AND o.kind <> 'direct' AND o.key <> '')
FROM bridge_rooms r WHERE r.kind <> 'direct' AND r.key <> '';
DELETE FROM bridge_merge WHERE old = kept;

-- Who sees it, and who is in it.
INSERT INTO bridge_visible (login, room, joined, writable)
SELECT v.login, m.kept, v.joined, v.writable FROM bridge_visible v JOIN bridge_merge m ON m.old = v.room
WHERE NOT EXISTS (SELECT 1 FROM bridge_visible k WHERE k.login = v.login AND k.room = m.kept);
INSERT INTO bridge_members (room, person)
SELECT DISTINCT m.kept, p.person FROM bridge_members p JOIN bridge_merge m ON m.old = p.room
WHERE NOT EXISTS (SELECT 1 FROM bridge_members k WHERE k.person = p.person AND k.room = m.kept);

CREATE INDEX bridge_merge_at ON bridge_archive (room, at); -- for the comparison by time below

-- Archived messages of a message of the network that the kept room has: its own is kept. Others, such
-- as reactions, are the same where author and time are.
DELETE FROM bridge_archive WHERE room IN (SELECT old FROM bridge_merge) AND EXISTS (
  SELECT 1 FROM bridge_ids i, bridge_merge m, bridge_ids k
  WHERE m.old = bridge_archive.room AND i.room = m.old AND i.stanza = bridge_archive.id AND i.first = ''
    AND k.net = i.net AND k.first = '' AND k.room <> m.old AND k.room IN (
      SELECT m.kept UNION SELECT x.old FROM bridge_merge x WHERE x.kept = m.kept AND x.old < m.old));
DELETE FROM bridge_archive WHERE room IN (SELECT old FROM bridge_merge) AND EXISTS (
  SELECT 1 FROM bridge_merge m, bridge_archive k
  WHERE m.old = bridge_archive.room AND k.at = bridge_archive.at AND k.who = bridge_archive.who AND k.room <> m.old AND k.room IN (
      SELECT m.kept UNION SELECT x.old FROM bridge_merge x WHERE x.kept = m.kept AND x.old < m.old));
DELETE FROM bridge_archive WHERE room IN (SELECT old FROM bridge_merge) AND EXISTS (
  SELECT 1 FROM bridge_merge m, bridge_archive k WHERE m.old = bridge_archive.room AND k.room = m.kept AND k.id = bridge_archive.id);
UPDATE bridge_archive SET room = (SELECT kept FROM bridge_merge WHERE old = room) WHERE room IN (SELECT old FROM bridge_merge);

-- Ids of stanzas that clients have seen go on to name their message: as others for that of the kept room.
INSERT INTO bridge_ids (room, net, stanza, origin, first, part, author, sender, at, body, gone)
SELECT m.kept, i.net, i.stanza, i.origin,
  coalesce((SELECT min(k.stanza) FROM bridge_ids k WHERE k.room = m.kept AND k.net = i.net AND k.first = ''),
    (SELECT min(o.stanza) FROM bridge_ids o JOIN bridge_merge x ON x.old = o.room WHERE x.kept = m.kept AND o.net = i.net AND o.first = '' AND o.stanza <> i.stanza AND o.room < i.room),
    i.first),
  i.part, i.author, i.sender, i.at, i.body, i.gone
FROM bridge_ids i JOIN bridge_merge m ON m.old = i.room
WHERE NOT EXISTS (SELECT 1 FROM bridge_ids k WHERE k.room = m.kept AND k.net = i.net AND k.stanza = i.stanza)
  AND NOT EXISTS (SELECT 1 FROM bridge_ids o JOIN bridge_merge x ON x.old = o.room
    WHERE x.kept = m.kept AND o.net = i.net AND o.stanza = i.stanza AND o.room < i.room);
INSERT INTO bridge_reactions (room, net, person, emoji)
SELECT DISTINCT m.kept, r.net, r.person, r.emoji FROM bridge_reactions r JOIN bridge_merge m ON m.old = r.room
WHERE NOT EXISTS (SELECT 1 FROM bridge_reactions k WHERE k.room = m.kept AND k.net = r.net AND k.person = r.person AND k.emoji = r.emoji);
INSERT INTO bridge_echoes (room, net, kind, until)
SELECT m.kept, e.net, e.kind, max(e.until) FROM bridge_echoes e JOIN bridge_merge m ON m.old = e.room
WHERE NOT EXISTS (SELECT 1 FROM bridge_echoes k WHERE k.room = m.kept AND k.net = e.net AND k.kind = e.kind)
GROUP BY m.kept, e.net, e.kind;

-- Events that wait, and keys of those that were processed: once for each key.
DELETE FROM bridge_inbox WHERE room IN (SELECT old FROM bridge_merge) AND EXISTS (
  SELECT 1 FROM bridge_merge m, bridge_inbox k
  WHERE m.old = bridge_inbox.room AND k.key = bridge_inbox.key AND k.room <> m.old AND k.room IN (
      SELECT m.kept UNION SELECT x.old FROM bridge_merge x WHERE x.kept = m.kept AND x.old < m.old));
UPDATE bridge_inbox SET room = (SELECT kept FROM bridge_merge WHERE old = room) WHERE room IN (SELECT old FROM bridge_merge);
UPDATE bridge_outbox SET room = (SELECT kept FROM bridge_merge WHERE old = room) WHERE room IN (SELECT old FROM bridge_merge);

DELETE FROM bridge_rooms WHERE id IN (SELECT old FROM bridge_merge);
UPDATE bridge_rooms SET scope = '' WHERE kind <> 'direct' AND key <> '';
DROP INDEX bridge_merge_at;
DROP TABLE bridge_merge;

-- +goose Down
SELECT 1;

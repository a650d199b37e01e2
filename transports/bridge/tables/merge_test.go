package tables_test

import (
	"testing"

	"github.com/dragoman-im/dragoman/core/store/storetest"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Two logins had a view each of the private channel den: it becomes one room, and nothing of either is lost
// or there twice.
func TestPrivateChannelsMerge(t *testing.T) {
	t.Parallel()
	s := openEngine(t, storetest.SQLite(t)) // PostgreSQL has no databases of earlier releases
	exec(t, s,
		`INSERT INTO bridge_gateways (id, domain) VALUES (1, 'echo.example.org')`,
		`INSERT INTO bridge_accounts (id, gateway, owner, person, name, key_id, secret, status, cause, created)
VALUES ('a', 1, 'ann@example.org', 'ann', 'Ann', 'k', X'01', 'linked', '', 5), ('b', 1, 'ben@example.org', 'ben', 'Ben', 'k', X'01', 'linked', '', 6)`,
		`INSERT INTO bridge_rooms (id, gateway, scope, key, room, kind, peer, name, topic, space, section, members, seen, seen_at, filled) VALUES
(10, 1, 'a', 'den', 'den', 'private', '', 'Den', '', '', '', 3, 'm2', 2, TRUE), (11, 1, 'b', 'den', 'den', 'private', '', 'Den', '', '', '', 3, 'm3', 3, TRUE),
(12, 1, 'a', '@ben', 'd1', 'direct', 'ben', '', '', '', '', 2, '', 0, TRUE), (13, 1, '', 'plaza', 'plaza', 'public', '', 'Plaza', '', '', '', 3, '', 0, TRUE),
(14, 1, 'a', '', '', '', '', '', '', '', '', 0, '', 0, FALSE)`,
		`INSERT INTO bridge_visible (login, room, joined, writable) VALUES ('a', 10, TRUE, TRUE), ('b', 11, TRUE, FALSE), ('a', 12, TRUE, TRUE), ('a', 13, TRUE, TRUE)`,
		`INSERT INTO bridge_members (room, person) VALUES (10, 'cleo'), (11, 'cleo'), (11, 'dan')`,
		// m1 and m2 in both views; m3 only in ben's; the edit of m1 in both.
		`INSERT INTO bridge_ids (room, net, stanza, origin, first, part, author, sender, at, body, gone) VALUES
(10, 'm1', 'a1', 'a1', '', 0, 'cleo', '', 1, 'one', FALSE), (10, 'm2', 'a2', 'a2', '', 0, 'cleo', '', 2, 'two', FALSE), (10, 'm1', 'a1e', 'a1e', 'a1', 0, 'cleo', '', 4, 'one!', FALSE),
(11, 'm1', 'b1', 'b1', '', 0, 'cleo', '', 1, 'one', FALSE), (11, 'm2', 'b2', 'b2', '', 0, 'cleo', '', 2, 'two', FALSE), (11, 'm3', 'b3', 'b3', '', 0, 'cleo', '', 3, 'three', FALSE), (11, 'm1', 'b1e', 'b1e', 'b1', 0, 'cleo', '', 4, 'one!', FALSE)`,
		`INSERT INTO bridge_archive (seq, room, id, message, at, nick, who, lang, extra, payload) VALUES
(101, 10, 'a1', 'a1', 1, 'Cleo', 'o', '', '', 'one'), (102, 10, 'a2', 'a2', 2, 'Cleo', 'o', '', '', 'two'), (104, 10, 'a1e', 'a1e', 4, 'Cleo', 'o', '', '', 'one!'), (105, 10, 'ar', 'ar', 5, 'Cleo', 'o', '', '', 'reacted to a1'),
(201, 11, 'b1', 'b1', 1, 'Cleo', 'o', '', '', 'one'), (202, 11, 'b2', 'b2', 2, 'Cleo', 'o', '', '', 'two'), (203, 11, 'b3', 'b3', 3, 'Cleo', 'o', '', '', 'three'), (204, 11, 'b1e', 'b1e', 4, 'Cleo', 'o', '', '', 'one!'), (205, 11, 'br', 'br', 5, 'Cleo', 'o', '', '', 'reacted to b1')`,
		// of a retracted message its correction is still there
		`INSERT INTO bridge_ids (room, net, stanza, origin, first, part, author, sender, at, body, gone) VALUES
(13, 'm5', 'p5', 'p5', '', 0, 'cleo', '', 1, '', TRUE), (13, 'm5', 'p5e', 'p5e', 'p5', 0, 'cleo', '', 2, '', TRUE)`,
		`INSERT INTO bridge_archive (seq, room, id, message, at, nick, who, lang, extra, payload) VALUES
(301, 13, 'p5', 'p5', 1, 'Cleo', 'o', '', '', ''), (302, 13, 'p5e', 'p5e', 2, 'Cleo', 'o', '', '', 'retracted')`,
		`INSERT INTO bridge_inbox (seq, room, account, key, kind, lane, place, data, at, state) VALUES
(1, 10, 'a', 'k1', 'message', 0, 1, '', 1, 3), (2, 11, 'b', 'k1', 'message', 0, 2, '', 1, 3), (3, 11, 'b', 'k4', 'message', 0, 3, 'x', 1, 0), (4, 10, 'a', 'k4', 'message', 0, 4, 'x', 1, 0), (5, 11, 'b', 'k5', 'message', 0, 5, 'x', 1, 0)`,
		`INSERT INTO bridge_outbox (seq, room, account, sender, resource, origin, message, stanza, kind, data, state, part, attempt, since, created, told)
VALUES (6, 11, 'b', 'ben@example.org', 'x', 'o1', 'o1', 's1', 'message', '{}', 0, 0, 0, 0, 1, FALSE)`,
		`INSERT INTO bridge_reactions (room, net, person, emoji) VALUES (10, 'm1', 'cleo', '+'), (11, 'm1', 'cleo', '+'), (11, 'm3', 'cleo', '-')`,
	)
	database, err := tables.Open(t.Context(), s)
	check(t, err)
	gateway, err := database.Gateway(t.Context(), domain)
	check(t, err)
	for query, want := range map[string]int{
		`SELECT count(*) FROM bridge_rooms`:                                         4,
		`SELECT count(*) FROM bridge_archive WHERE room = 13 AND payload <> ''`:     0,
		`SELECT count(*) FROM bridge_archive WHERE id = 'a1e' AND corrects = 'a1'`:  1,
		`SELECT count(*) FROM bridge_archive WHERE corrects <> ''`:                  2,
		`SELECT count(*) FROM bridge_rooms WHERE id = 10 AND scope = ''`:            1,
		`SELECT count(*) FROM bridge_rooms WHERE scope = 'a'`:                       2, // the direct chat, and that of events about people
		`SELECT count(*) FROM bridge_visible WHERE room = 10`:                       2,
		`SELECT count(*) FROM bridge_members WHERE room = 10`:                       2,
		`SELECT count(*) FROM bridge_archive WHERE room = 10`:                       5,
		`SELECT count(*) FROM bridge_archive WHERE room = 10 AND payload = 'three'`: 1,
		`SELECT count(*) FROM bridge_inbox WHERE room = 10`:                         3,
		`SELECT count(*) FROM bridge_inbox WHERE room = 10 AND state = 0`:           2,
		`SELECT count(*) FROM bridge_outbox WHERE room = 10`:                        1,
		`SELECT count(*) FROM bridge_reactions WHERE room = 10`:                     2,
	} {
		if n := count(t, s, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	// An id that ben's client has seen names the message of the room that was kept.
	old, err := gateway.ByStanzaID(t.Context(), 10, "b1", "")
	check(t, err)
	if len(old) != 1 || old[0].Net != "m1" || old[0].First != "a1" {
		t.Errorf("b1 is %+v", old)
	}
	first, err := gateway.ByNetworkID(t.Context(), 10, "m1")
	check(t, err)
	if len(first) == 0 || first[0].Stanza != "a1" {
		t.Errorf("m1 is %+v", first)
	}
	if third, err := gateway.ByNetworkID(t.Context(), 10, "m3"); err != nil || len(third) != 1 || third[0].First != "" {
		t.Errorf("m3 is %+v, %v", third, err)
	}
}

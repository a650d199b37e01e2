package integration_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestSlixmppRooms has slixmpp create, configure and moderate a room of the server's own, invite to it, and destroy it (XEP-0045).
func TestSlixmppRooms(t *testing.T) {
	t.Parallel()
	server := &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server // it may have to be built
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	sally, simon := peers.StartSlixmpp(t), peers.StartSlixmpp(t)
	for i, s := range []*peers.Slixmpp{sally, simon} {
		if err := s.Login(ctx, server, foreignSetup.Accounts[i]); err != nil {
			t.Fatal(err)
		}
	}
	const room, other, atSally, atSimon = "coven@conference." + testHost, "heath@conference." + testHost, "sally@" + testHost, "simon@" + testHost
	do := func(s *peers.Slixmpp, what string, args map[string]any, result any) {
		t.Helper()
		if args["room"] == nil {
			args["room"] = room
		}
		if err := s.Do(ctx, what, args, result); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	refused := func(s *peers.Slixmpp, condition, what string, args map[string]any) {
		t.Helper()
		args["room"] = room
		if err := s.Do(ctx, what, args, nil); err == nil || !strings.Contains(err.Error(), condition) {
			t.Errorf("%s: %v, want %s", what, err, condition)
		}
	}
	saw := func(s *peers.Slixmpp, parts ...string) {
		t.Helper()
		await(ctx, t, s, func(e peers.Event) bool {
			return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(e.Raw, part) })
		})
	}

	// Created, and locked until it is configured.
	do(sally, "join", map[string]any{"nick": "Sally"}, nil)
	refused(simon, "item-not-found", "join", map[string]any{"nick": "Simon"})
	var form struct{ Fields []string }
	do(sally, "configure_room", map[string]any{"values": map[string]any{
		"muc#roomconfig_roomname": "A Dark Cave", "muc#roomconfig_persistentroom": true, "muc#roomconfig_membersonly": true, "muc#roomconfig_moderatedroom": true,
	}}, &form)
	for _, name := range []string{"muc#roomconfig_whois", "muc#roomconfig_roomsecret", "muc#roomconfig_getmemberlist", "muc#roomconfig_roomadmins", "muc#maxhistoryfetch"} {
		if !slices.Contains(form.Fields, name) {
			t.Errorf("the form has no %s: %v", name, form.Fields)
		}
	}
	refused(simon, "registration-required", "join", map[string]any{"nick": "Simon"})

	// Invited, declined, invited again.
	do(sally, "room_invite", map[string]any{"jid": atSimon, "reason": "Come!"}, nil)
	saw(simon, "invite", "Come!", room)
	do(simon, "room_decline", map[string]any{"jid": atSally, "reason": "Busy"}, nil)
	saw(sally, "decline", "Busy", atSimon)
	do(sally, "room_affiliation", map[string]any{"affiliation": "none", "jid": atSimon}, nil)
	do(sally, "configure_room", map[string]any{"values": map[string]any{"muc#roomconfig_membersonly": false}}, nil)
	do(simon, "join", map[string]any{"nick": "Simon"}, nil)

	// A visitor asks for a voice and gets it.
	saw(sally, "/Simon\"", "visitor")
	do(simon, "room_voice", map[string]any{}, nil)
	saw(sally, "muc#request", atSimon)
	do(sally, "room_role", map[string]any{"nick": "Simon", "role": "participant", "reason": "A worthy witch"}, nil)
	saw(simon, "/Simon\"", "participant", "A worthy witch")
	sendGroupchat(ctx, t, simon, room, "Thrice the brinded cat hath mew'd")
	saw(sally, "Thrice the brinded cat", "/Simon\"")
	do(sally, "room_subject", map[string]any{"subject": "Spells"}, nil)
	saw(simon, "<subject>Spells</subject>")

	// Lists; what a mere participant may not do.
	var lists struct{ Affiliated, Nicks []string }
	do(sally, "room_affiliation", map[string]any{"affiliation": "member", "nick": "Simon"}, nil)
	do(sally, "room_lists", map[string]any{"affiliation": "member", "role": "participant"}, &lists)
	if !slices.Equal(lists.Affiliated, []string{atSimon}) || !slices.Equal(lists.Nicks, []string{"Simon"}) {
		t.Errorf("%+v", lists)
	}
	refused(simon, "forbidden", "room_lists", map[string]any{"affiliation": "owner", "role": "moderator"})
	refused(simon, "forbidden", "room_role", map[string]any{"nick": "Sally", "role": "none"})
	refused(simon, "forbidden", "configure_room", map[string]any{"values": map[string]any{}})
	refused(sally, "conflict", "room_affiliation", map[string]any{"affiliation": "none", "jid": atSally})

	// Kicked, banned, and the end.
	do(sally, "room_role", map[string]any{"nick": "Simon", "role": "none", "reason": "Avaunt"}, nil)
	saw(simon, "unavailable", "307", "Avaunt")
	do(simon, "join", map[string]any{"nick": "Simon"}, nil)
	do(sally, "room_affiliation", map[string]any{"affiliation": "outcast", "jid": atSimon, "reason": "Treason"}, nil)
	saw(simon, "unavailable", "301", "Treason")
	refused(simon, "forbidden", "join", map[string]any{"nick": "Simon"})
	do(sally, "destroy_room", map[string]any{"reason": "Macbeth doth come", "instead": other}, nil)
	saw(sally, "unavailable", "destroy", other, "Macbeth doth come")
}

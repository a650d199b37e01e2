package integration_test

import (
	"context"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// TestSlixmppOnProsody checks the scripted slixmpp client itself: rooms, archives and commands work with another
// server.
func TestSlixmppOnProsody(t *testing.T) {
	t.Parallel()
	peers.Need(t, "prosody")
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	setup := foreignSetup
	setup.Rooms, setup.Admin = "rooms."+testHost, "sally"
	server := peers.StartProsody(t, setup)
	sally, simon := peers.StartSlixmpp(t), peers.StartSlixmpp(t)
	for i, s := range []*peers.Slixmpp{sally, simon} {
		if err := s.Login(ctx, &server.Server, setup.Accounts[i]); err != nil {
			t.Fatal(err)
		}
	}

	const room = "hall@rooms." + testHost
	joined := join(ctx, t, sally, joinRequest{room, "Sally", 0})
	if !slices.Equal(joined.Occupants, []string{"Sally"}) {
		t.Errorf("occupants are %v", joined.Occupants)
	}
	id := sendGroupchat(ctx, t, sally, room, "First words")
	await(ctx, t, sally, messageWithBody("First words", room+"/Sally"))
	if joined = join(ctx, t, simon, joinRequest{room, "Simon", 10}); !slices.Equal(joined.Occupants, []string{"Sally", "Simon"}) {
		t.Errorf("occupants are %v", joined.Occupants)
	}
	if e := await(ctx, t, simon, messageWithBody("First words", room+"/Sally")); !e.Seen.Delayed {
		t.Errorf("history is not marked as such: %s", e.Raw)
	}
	if err := sally.Do(ctx, "correct", map[string]any{"to": room, "body": "Other words", "replaces": id, "type": "groupchat"}, nil); err != nil {
		t.Fatal(err)
	}
	if e := await(ctx, t, simon, messageWithBody("Other words", room+"/Sally")); e.Seen.Replaces != id {
		t.Errorf("correction of %q, want %q", e.Seen.Replaces, id)
	}
	if err := sally.Do(ctx, "retract", map[string]any{"to": room, "id": id, "type": "groupchat"}, nil); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, simon, func(e peers.Event) bool { return e.Seen.Retracts == id })
	if err := simon.Do(ctx, "react", map[string]any{"to": room, "id": id, "reactions": []string{"👍"}, "type": "groupchat"}, nil); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, sally, func(e peers.Event) bool {
		return e.Seen.ReactsTo == id && slices.Equal(e.Seen.Reactions, []string{"👍"})
	})
	if bodies := archive(ctx, t, simon, room); !slices.Contains(bodies, "First words") {
		t.Errorf("archive holds %v", bodies)
	}

	first := command(ctx, t, sally, testHost, "http://jabber.org/protocol/admin#add-user")
	if first.Status != "executing" || first.Form == nil || len(first.Form.Fields) < 3 {
		t.Fatalf("first stage of the command: %+v", first)
	}
	last := first.next(ctx, t, "complete", map[string]any{"accountjid": "newcomer@" + testHost, "password": "fresh", "password-verify": "fresh"})
	if last.Status != "completed" {
		t.Errorf("last stage of the command: %+v", last)
	}
	if conn, err := server.Dial(ctx, peers.Account{User: "newcomer", Password: "fresh"}, ""); err != nil {
		t.Error(err)
	} else {
		conn.Drop()
	}
}

// joinRequest is a room, a nickname and the number of earlier messages that are wanted.
type joinRequest struct {
	room, nick string
	history    int
}

// joined is what a client found in a room.
type joined struct {
	Occupants []string
	Nick      string
}

func join(ctx context.Context, t *testing.T, s *peers.Slixmpp, r joinRequest) joined {
	t.Helper()
	var found joined
	if err := s.Do(ctx, "join", map[string]any{"room": r.room, "nick": r.nick, "history": r.history}, &found); err != nil {
		t.Fatalf("%s joins %s: %v", s.JID, r.room, err)
	}
	return found
}

// sendChat sends a message to a person and returns its id.
func sendChat(ctx context.Context, t *testing.T, s *peers.Slixmpp, to, body string) string {
	t.Helper()
	return sendMessage(ctx, t, s, map[string]any{"to": to, "body": body, "type": "chat"})
}

// sendGroupchat sends a message to a room and returns its id.
func sendGroupchat(ctx context.Context, t *testing.T, s *peers.Slixmpp, room, body string) string {
	t.Helper()
	return sendMessage(ctx, t, s, map[string]any{"to": room, "body": body, "type": "groupchat"})
}

func sendMessage(ctx context.Context, t *testing.T, s *peers.Slixmpp, args map[string]any) string {
	t.Helper()
	var sent struct{ ID string }
	if err := s.Do(ctx, "message", args, &sent); err != nil {
		t.Fatal(err)
	}
	return sent.ID
}

// archive returns the bodies that a room's archive holds.
func archive(ctx context.Context, t *testing.T, s *peers.Slixmpp, of string) []string {
	t.Helper()
	var found struct{ Messages []struct{ From, Body string } }
	if err := s.Do(ctx, "archive", map[string]any{"of": of}, &found); err != nil {
		t.Fatal(err)
	}
	var bodies []string
	for _, m := range found.Messages {
		bodies = append(bodies, m.Body)
	}
	return bodies
}

// stage is one step of an ad-hoc command (XEP-0050) as slixmpp sees it.
type stage struct {
	Status  string
	Session string
	Actions []string
	Notes   [][]string
	Form    *struct {
		Title        string
		Instructions string
		Fields       []field
	}

	s        *peers.Slixmpp
	to, node string
}

type field struct {
	Var, Type, Label string
	Required         bool
	Value            any
	Options          []string
}

// command begins an ad-hoc command.
func command(ctx context.Context, t *testing.T, s *peers.Slixmpp, to, node string) stage {
	t.Helper()
	return carryOut(ctx, t, stage{s: s, to: to, node: node}, map[string]any{"to": to, "node": node})
}

// next goes on with the command.
func (st stage) next(ctx context.Context, t *testing.T, action string, values map[string]any) stage {
	t.Helper()
	return carryOut(ctx, t, st, map[string]any{"to": st.to, "node": st.node, "action": action, "session": st.Session, "values": values})
}

func carryOut(ctx context.Context, t *testing.T, st stage, args map[string]any) stage {
	t.Helper()
	result := stage{s: st.s, to: st.to, node: st.node}
	if err := st.s.Do(ctx, "command", args, &result); err != nil {
		t.Fatalf("command %s at %s: %v", st.node, st.to, err)
	}
	return result
}

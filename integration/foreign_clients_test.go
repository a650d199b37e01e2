package integration_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// foreignSetup has an account for each foreign client.
var foreignSetup = peers.Setup{
	Host: testHost,
	Accounts: []peers.Account{
		{User: "sally", Password: "slix one"}, {User: "simon", Password: "slix two"}, {User: "george", Password: "go three"},
	},
}

func TestForeignClientsOnProsody(t *testing.T) {
	t.Parallel()
	peers.Need(t, "prosody")
	testForeignClients(t, &peers.StartProsody(t, foreignSetup).Server, "SCRAM-")
}

func TestForeignClients(t *testing.T) {
	t.Parallel()
	// slixmpp 1.8 answers the offer of channel binding as if it had not seen it, which RFC 5802 §6 makes a failed SCRAM login.
	testForeignClients(t, &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server, "PLAIN")
}

// testForeignClients has two slixmpp clients and go-sendxmpp, which use XMPP libraries that are not ours, log in
// and write to each other. mechanism is what slixmpp's must begin with.
func testForeignClients(t *testing.T, server *peers.Server, mechanism string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	sally, simon := peers.StartSlixmpp(t), peers.StartSlixmpp(t)
	for i, s := range []*peers.Slixmpp{sally, simon} {
		if err := s.Login(ctx, server, foreignSetup.Accounts[i]); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(s.Mechanism, mechanism) {
			t.Errorf("logged in with %s, want %s", s.Mechanism, mechanism)
		}
	}

	// Chat both ways, with a receipt that slixmpp sends by itself.
	var sent struct{ ID string }
	if err := sally.Do(ctx, "message", map[string]any{"to": "simon@" + testHost, "body": "Hello <Simon> & all ☺", "receipt": true}, &sent); err != nil {
		t.Fatal(err)
	}
	e := await(ctx, t, simon, func(e peers.Event) bool { return e.Seen.Body != "" })
	if e.Seen.Body != "Hello <Simon> & all ☺" || e.Seen.From != sally.JID || e.Seen.ID != sent.ID {
		t.Errorf("simon saw %+v", e.Seen)
	}
	await(ctx, t, sally, func(e peers.Event) bool {
		return e.Kind == "message" && strings.Contains(e.Raw, "urn:xmpp:receipts") && strings.Contains(e.Raw, sent.ID)
	})
	if err := simon.Do(ctx, "message", map[string]any{"to": sally.JID, "body": "Hello Sally"}, &sent); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, sally, messageWithBody("Hello Sally", simon.JID))
	if err := simon.Do(ctx, "correct", map[string]any{"to": sally.JID, "body": "Hello, Sally!", "replaces": sent.ID}, nil); err != nil {
		t.Fatal(err)
	}
	e = await(ctx, t, sally, messageWithBody("Hello, Sally!", simon.JID))
	if e.Seen.Replaces != sent.ID {
		t.Errorf("sally saw a correction of %q, want %q", e.Seen.Replaces, sent.ID)
	}

	// Contacts.
	if err := sally.Do(ctx, "presence", map[string]any{"to": "simon@" + testHost, "type": "subscribe"}, nil); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, simon, presenceOf("sally@"+testHost, "subscribe"))
	if err := simon.Do(ctx, "presence", map[string]any{"to": "sally@" + testHost, "type": "subscribed"}, nil); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, sally, presenceOf(simon.JID, "available"))
	var roster map[string]peers.Contact
	if err := sally.Do(ctx, "roster", nil, &roster); err != nil {
		t.Fatal(err)
	}
	if roster["simon@"+testHost].Subscription != "to" {
		t.Errorf("sally's contacts are %v", roster)
	}

	// The third client, both ways.
	george := foreignSetup.Accounts[2]
	if err := server.SendXMPP(ctx, t, george, "sally@"+testHost, "Go says hello"); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, sally, func(e peers.Event) bool {
		return e.Kind == "message" && e.Seen.Body == "Go says hello" && strings.HasPrefix(e.Seen.From, "george@"+testHost+"/")
	})
	log := peers.ListenXMPP(t, server, george)
	for received := false; !received; { // messageWithBody again until he listens: his last session may be dying still
		sendChat(ctx, t, sally, "george@"+testHost, "Hello George")
		soon, stop := context.WithTimeout(ctx, time.Second)
		err := peers.Poll(soon, func() error {
			if !log.Contains("Hello George") {
				return errors.New("george has not received it")
			}
			return nil
		})
		stop()
		if received = err == nil; ctx.Err() != nil {
			t.Fatal(err)
		}
	}

	// Service discovery of the server.
	var info struct {
		Identities [][]string
		Features   []string
	}
	if err := sally.Do(ctx, "info", map[string]any{"to": testHost}, &info); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(info.Features, "urn:xmpp:ping") {
		t.Errorf("features of the server are %v", info.Features)
	}
	for _, s := range []*peers.Slixmpp{sally, simon} {
		if err := s.Do(ctx, "logout", nil, nil); err != nil {
			t.Errorf("log out: %v", err)
		}
	}
}

// await waits for an event of a client, from its beginning on.
func await(ctx context.Context, t *testing.T, s *peers.Slixmpp, fits func(peers.Event) bool) peers.Event {
	t.Helper()
	e, _, err := s.Await(ctx, 0, fits)
	if err != nil {
		var all strings.Builder
		for _, e := range s.Events() {
			all.WriteString("\n  " + e.Event + " " + e.Raw)
		}
		t.Fatalf("%s waits in vain: %v; it received%s", s.JID, err, all.String())
	}
	return e
}

func messageWithBody(body, from string) func(peers.Event) bool {
	return func(e peers.Event) bool {
		return e.Kind == "message" && e.Seen.Body == body && e.Seen.From == from
	}
}

func presenceOf(from, kind string) func(peers.Event) bool {
	return func(e peers.Event) bool { return e.Kind == "presence" && e.Seen.From == from && e.Seen.Type == kind }
}

package integration_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dragoman-im/dragoman/integration/client"
	"github.com/dragoman-im/dragoman/integration/peers"
)

// team is slixmpp clients of a server, and what tests ask them for.
type team struct {
	*testing.T
	ctx          context.Context
	sally, simon *peers.Slixmpp
}

// newTeam logs Sally and Simon in.
func newTeam(t *testing.T, server *peers.Server) team {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	t.Cleanup(cancel)
	c := team{t, ctx, peers.StartSlixmpp(t), peers.StartSlixmpp(t)}
	for i, s := range []*peers.Slixmpp{c.sally, c.simon} {
		if err := s.Login(ctx, server, foreignSetup.Accounts[i]); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// do carries out a command and wants it to succeed.
func (c team) do(s *peers.Slixmpp, what string, args map[string]any, result any) {
	c.Helper()
	if err := s.Do(c.ctx, what, args, result); err != nil {
		c.Fatalf("%s: %v", what, err)
	}
}

// raw waits for what a client was sent with all of these texts in it.
func (c team) raw(s *peers.Slixmpp, parts ...string) peers.Event {
	c.Helper()
	return await(c.ctx, c.T, s, func(e peers.Event) bool {
		return !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(e.Raw, part) })
	})
}

const (
	sallyBare = "sally@" + testHost
	simonBare = "simon@" + testHost
)

// TestSlixmppCopies has two clients of an account: what one of them writes, and what is written to it, reaches the other too (XEP-0280).
func TestSlixmppCopies(t *testing.T) {
	t.Parallel()
	server := &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server
	c := newTeam(t, server)
	other := peers.StartSlixmpp(t)
	if err := other.Login(c.ctx, server, foreignSetup.Accounts[0]); err != nil {
		t.Fatal(err)
	}
	c.do(other, "copies", nil, nil)
	sendChat(c.ctx, t, c.sally, c.simon.JID, "written by the first")
	c.raw(other, "<sent xmlns=\"urn:xmpp:carbons:2\"", "written by the first")
	sendChat(c.ctx, t, c.simon, c.sally.JID, "written to the first")
	c.raw(other, "<received xmlns=\"urn:xmpp:carbons:2\"", "written to the first")
}

// TestSlixmppBlocks blocks an address, with a report (XEP-0191, XEP-0377), and lets it in again.
func TestSlixmppBlocks(t *testing.T) {
	t.Parallel()
	c := newTeam(t, &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server)
	blocked := func(want ...string) {
		t.Helper()
		var list struct{ Addresses []string }
		c.do(c.sally, "blocked", nil, &list)
		if !slices.Equal(list.Addresses, want) {
			t.Errorf("blocked %v, want %v", list.Addresses, want)
		}
	}
	refused := func(body string) {
		t.Helper()
		id := sendChat(c.ctx, t, c.simon, sallyBare, body)
		await(c.ctx, t, c.simon, func(e peers.Event) bool { return e.Seen.Type == "error" && e.Seen.ID == id })
	}
	c.do(c.sally, "block", map[string]any{"jid": simonBare}, nil)
	blocked(simonBare)
	refused("first words")
	c.do(c.sally, "unblock", map[string]any{"jid": simonBare}, nil)
	blocked()
	sendChat(c.ctx, t, c.simon, sallyBare, "second words")
	await(c.ctx, t, c.sally, messageWithBody("second words", c.simon.JID))

	c.do(c.sally, "block", map[string]any{"jid": simonBare, "reason": "urn:xmpp:reporting:spam", "text": "Never came trouble"}, nil)
	blocked(simonBare)
	refused("third words")
	for _, e := range c.sally.Events() {
		if e.Seen.Body == "first words" || e.Seen.Body == "third words" {
			t.Errorf("from somebody who is blocked: %s", e.Raw)
		}
	}
}

// TestSlixmppSearches enters an account into the user directory and finds it (XEP-0055).
func TestSlixmppSearches(t *testing.T) {
	t.Parallel()
	c := newTeam(t, &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server)
	const directory = "search." + testHost
	c.do(c.sally, "enter_directory", map[string]any{"to": directory, "nick": "Sal", "first": "Sally"}, nil)
	var result struct {
		Fields []string
		Found  []map[string]string
	}
	c.do(c.simon, "search", map[string]any{"to": directory, "nick": "sal"}, &result)
	if !slices.Contains(result.Fields, "nick") || len(result.Found) != 1 || result.Found[0]["jid"] != sallyBare || result.Found[0]["first"] != "Sally" {
		t.Errorf("found %+v", result)
	}
	c.do(c.simon, "search", map[string]any{"to": directory, "nick": "simon"}, &result)
	if len(result.Found) != 0 {
		t.Errorf("found %v, who has not entered", result.Found)
	}
}

// TestSlixmppBookmarks keeps bookmarks in the old form (XEP-0048); newer clients see them as XEP-0402 has them, and the reverse.
func TestSlixmppBookmarks(t *testing.T) {
	t.Parallel()
	c := newTeam(t, &peers.StartDragoman(t, peers.Options{Setup: foreignSetup}).Server)
	const hall, cafe = "hall@rooms.example.org", "cafe@rooms.example.org"
	c.do(c.sally, "save_bookmarks", map[string]any{"rooms": map[string]string{hall: "Hall"}}, nil)
	var kept struct{ Items map[string]string }
	c.do(c.sally, "payloads", map[string]any{"of": nil, "node": "urn:xmpp:bookmarks:1"}, &kept)
	if got := slices.Collect(maps.Keys(kept.Items)); !slices.Equal(got, []string{hall}) || !strings.Contains(kept.Items[hall], `name="Hall"`) {
		t.Errorf("as XEP-0402 has them: %v", kept.Items)
	}
	c.do(c.sally, "raw", map[string]any{"text": fmt.Sprintf("<iq type='set' id='new'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'>"+
		"<item id='%s'><conference xmlns='urn:xmpp:bookmarks:1' name='Cafe'/></item></publish></pubsub></iq>", cafe)}, nil)
	var old struct{ Rooms map[string]string }
	c.do(c.sally, "bookmarks", nil, &old)
	if want := map[string]string{hall: "Hall", cafe: "Cafe"}; !maps.Equal(old.Rooms, want) {
		t.Errorf("as XEP-0048 has them: %v", old.Rooms)
	}
}

// TestSlixmppSendsThroughProxy finds the server's proxy and sends a file through it (XEP-0065).
func TestSlixmppSendsThroughProxy(t *testing.T) {
	t.Parallel()
	listen := fmt.Sprintf("proxy = [\"127.0.0.1:%d\"]", peers.FreePort(t))
	c := newTeam(t, &peers.StartDragoman(t, peers.Options{Setup: foreignSetup, Listen: listen, Settings: "[proxy]\naddress = \"127.0.0.1\""}).Server)
	c.do(c.simon, "take_files", nil, nil)
	c.do(c.sally, "send_file", map[string]any{"to": c.simon.JID, "text": "the contents"}, nil)
	await(c.ctx, t, c.simon, func(e peers.Event) bool { return e.Event == "data" && e.Raw == "the contents" })
}

// TestSlixmppIsPushedTo enables a push service (XEP-0357), which is notified of what comes while no client is there, and not before.
func TestSlixmppIsPushedTo(t *testing.T) {
	t.Parallel()
	setup := foreignSetup
	setup.Components = []peers.Component{{Domain: "push." + testHost, Secret: "between us"}}
	d := peers.StartDragoman(t, peers.Options{Setup: setup})
	c := newTeam(t, &d.Server)
	service, err := client.Attach(c.ctx, d.ComponentAddr, "push."+testHost, "between us")
	if err != nil {
		t.Fatal(err)
	}
	defer service.Drop()
	var info struct{ Features []string }
	c.do(c.sally, "info", map[string]any{"to": sallyBare}, &info)
	if !slices.Contains(info.Features, "urn:xmpp:push:0") {
		t.Errorf("the account does not offer pushes: %v", info.Features)
	}
	c.do(c.sally, "push", map[string]any{"service": "push." + testHost, "node": "device"}, nil)
	sendChat(c.ctx, t, c.simon, sallyBare, "read at once")
	await(c.ctx, t, c.sally, messageWithBody("read at once", c.simon.JID))
	c.do(c.sally, "logout", nil, nil)
	await(c.ctx, t, c.sally, func(e peers.Event) bool { return e.Event == "gone" })
	// The server may learn of the end a little later: the client writes again until the service is notified.
	for {
		sendChat(c.ctx, t, c.simon, sallyBare, "read later")
		wait, cancel := context.WithTimeout(c.ctx, time.Second)
		e, err := service.Next(wait)
		cancel()
		if err == nil && e.Name.Local == "iq" {
			if text := e.String(); !strings.Contains(text, "node='device'") && !strings.Contains(text, `node="device"`) || strings.Contains(text, "read later") {
				t.Errorf("notified of %s", text)
			}
			return
		}
		if c.ctx.Err() != nil {
			t.Fatal("the service is not notified")
		}
	}
}

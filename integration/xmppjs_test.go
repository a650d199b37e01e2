package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

var jsSetup = peers.Setup{
	Host:     testHost,
	Accounts: []peers.Account{{User: "jane", Password: "java script"}, {User: "john", Password: "go lang"}},
}

// TestXMPPJS has @xmpp/client log in by SASL2, bind by Bind 2 with copies of messages and a session that can be resumed, log in
// again with a token, and resume its session after a cut.
func TestXMPPJS(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	server := &peers.StartDragoman(t, peers.Options{Setup: jsSetup}).Server
	jane, john := peers.StartXMPPJS(t, server), peers.StartXMPPJS(t, server)
	const device = "8c3f7f02-5b1e-4d53-9f0a-4b8c6f4d2a10"
	if err := jane.Login(ctx, server, jsSetup.Accounts[0], device); err != nil {
		t.Fatal(err)
	}
	at := 0
	next := func(what string, fits func(peers.Event) bool) peers.Event {
		t.Helper()
		e, after, err := jane.Await(ctx, at, fits)
		if err != nil {
			t.Fatalf("%s: %v; events %+v", what, err, jane.Events()[at:])
		}
		at = after
		return e
	}
	sent := func(kind string) func(peers.Event) bool {
		return func(e peers.Event) bool { return e.Event == "sent" && e.Kind == kind }
	}
	success := func(e peers.Event) bool { return e.Event == "nonza" && e.Kind == "success" }
	body := func(text string) func(peers.Event) bool {
		return func(e peers.Event) bool {
			return e.Kind == "message" && strings.Contains(e.Raw, "<body>"+text+"</body>")
		}
	}
	if e := next("login", sent("authenticate")); !strings.Contains(e.Raw, "SCRAM-SHA-1") || !strings.Contains(e.Raw, "urn:xmpp:carbons:2") {
		t.Errorf("logs in by %s", e.Raw)
	}
	if e := next("success", success); !strings.Contains(e.Raw, "<bound ") || !strings.Contains(e.Raw, "<enabled ") || !strings.Contains(e.Raw, "<token ") {
		t.Errorf("success %s", e.Raw)
	}
	if !strings.HasPrefix(jane.JID, "jane@"+testHost+"/js/") {
		t.Errorf("bound %s", jane.JID)
	}
	if err := jane.Do(ctx, "available", nil, nil); err != nil {
		t.Fatal(err)
	}

	// Copies of what another client of the account writes.
	other, err := server.Dial(ctx, jsSetup.Accounts[0], "other")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Drop()
	if err := john.Login(ctx, server, jsSetup.Accounts[1], "8c3f7f02-5b1e-4d53-9f0a-4b8c6f4d2a11"); err != nil {
		t.Fatal(err)
	}
	if err := other.Send("<message to='" + john.JID + "' type='chat'><body>written elsewhere</body></message>"); err != nil {
		t.Fatal(err)
	}
	if e := next("copy", body("written elsewhere")); !strings.Contains(e.Raw, "<sent xmlns=\"urn:xmpp:carbons:2\"") {
		t.Errorf("copy %s", e.Raw)
	}

	// A cut: the token and the session are those of before, and a message that was sent meanwhile comes once.
	for round := range 3 {
		if err := jane.Do(ctx, "cut", nil, nil); err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprint("message ", round)
		if err := john.Do(ctx, "send", map[string]any{"to": jane.JID, "body": text, "id": text}, nil); err != nil {
			t.Fatal(err)
		}
		if e := next("login after a cut", sent("authenticate")); !strings.Contains(e.Raw, "HT-SHA-256-NONE") || !strings.Contains(e.Raw, "<resume ") {
			t.Errorf("logs in by %s", e.Raw)
		}
		if e := next("resumption", success); !strings.Contains(e.Raw, "<resumed ") || !strings.Contains(e.Raw, jane.JID) || strings.Contains(e.Raw, "<bound ") {
			t.Errorf("success %s", e.Raw)
		}
		// The client does not bear a cut before it has done this; what comes first is up to it.
		from := at
		next("resumed", func(e peers.Event) bool { return e.Event == "resumed" })
		resumed := at
		at = from
		next("message", body(text))
		at = max(at, resumed)
	}
	// Without a session to resume the client gets its resource again.
	if err := jane.Do(ctx, "restart", nil, nil); err != nil {
		t.Fatal(err)
	}
	if e := next("login", sent("authenticate")); !strings.Contains(e.Raw, "HT-SHA-256-NONE") {
		t.Errorf("logs in by %s", e.Raw)
	}
	if e := next("success", success); !strings.Contains(e.Raw, "<bound ") || !strings.Contains(e.Raw, jane.JID+"<") {
		t.Errorf("success %s", e.Raw)
	}
	seen := map[string]int{}
	for _, e := range jane.Events() {
		if e.Kind == "message" {
			seen[e.Raw]++
		}
	}
	for raw, n := range seen {
		if n != 1 {
			t.Errorf("%d times: %s", n, raw)
		}
	}
}

// TestXMPPJSWebSocket has @xmpp/client do the same over WebSocket (RFC 7395): log in by SASL2 with Bind 2, get and send messages, and
// resume its session after its WebSocket has ended.
func TestXMPPJSWebSocket(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := peers.StartDragoman(t, peers.Options{Setup: jsSetup})
	jane, john := peers.StartXMPPJS(t, &d.Server), peers.StartXMPPJS(t, &d.Server)
	if err := jane.LoginAt(ctx, "ws://"+d.HTTPAddr+"/ws", &d.Server, jsSetup.Accounts[0], "8c3f7f02-5b1e-4d53-9f0a-4b8c6f4d2a12"); err != nil {
		t.Fatal(err)
	}
	if err := john.Login(ctx, &d.Server, jsSetup.Accounts[1], "8c3f7f02-5b1e-4d53-9f0a-4b8c6f4d2a13"); err != nil {
		t.Fatal(err)
	}
	write := func(from, to *peers.XMPPJS, text string) {
		t.Helper()
		if err := from.Do(ctx, "send", map[string]any{"to": to.JID, "body": text, "id": text}, nil); err != nil {
			t.Fatal(err)
		}
	}
	receive := func(who *peers.XMPPJS, text string) {
		t.Helper()
		if _, _, err := who.Await(ctx, 0, func(e peers.Event) bool {
			return e.Kind == "message" && strings.Contains(e.Raw, "<body>"+text+"</body>")
		}); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
	write(jane, john, "over WebSocket")
	receive(john, "over WebSocket")
	write(john, jane, "over TCP")
	receive(jane, "over TCP")
	if err := jane.Do(ctx, "cut", nil, nil); err != nil {
		t.Fatal(err)
	}
	write(john, jane, "after the cut")
	if _, _, err := jane.Await(ctx, 0, func(e peers.Event) bool { return e.Event == "resumed" }); err != nil {
		t.Fatalf("not resumed: %v", err)
	}
	receive(jane, "after the cut")
}

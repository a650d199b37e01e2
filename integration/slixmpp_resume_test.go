package integration_test

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// slixmpp's stream management (XEP-0198) is cut off, resumes its session, and gets what it has missed, once; also after the server was
// killed.
func TestSlixmppResumes(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := peers.StartDragoman(t, peers.Options{Setup: foreignSetup})
	sally, simon := peers.StartSlixmpp(t), newManagedClient(t, &d.Server, foreignSetup.Accounts[1])
	host, port, err := net.SplitHostPort(d.ClientAddr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	var login struct{ JID string }
	if err := sally.Do(ctx, "login", map[string]any{
		"jid": "sally@" + testHost, "password": foreignSetup.Accounts[0].Password, "host": host, "port": number, "ca_certs": d.CertFile, "manage": true,
	}, &login); err != nil {
		t.Fatal(err)
	}
	simon.connect(ctx)
	settled := func() {
		t.Helper()
		if err := simon.await(ctx, func() bool { return len(simon.sent) == 0 }); err != nil {
			t.Fatal(err)
		}
	}
	bodies := 0
	awaitBody := func(body string) {
		t.Helper()
		await(ctx, t, sally, func(e peers.Event) bool { return e.Seen.Body == body })
		bodies = 0
		for _, e := range sally.Events() {
			if e.Seen.Body == body {
				bodies++
			}
		}
		if bodies != 1 {
			t.Errorf("%q came %d times", body, bodies)
		}
	}
	resume := func() {
		t.Helper()
		var result struct {
			Same bool
		}
		if err := sally.Do(ctx, "resume", map[string]any{"host": host, "port": number}, &result); err != nil {
			t.Fatal(err)
		}
		if !result.Same {
			t.Error("it is another session")
		}
	}
	simon.write(login.JID, "before")
	awaitBody("before")
	if err := sally.Do(ctx, "cut", nil, nil); err != nil {
		t.Fatal(err)
	}
	await(ctx, t, sally, func(e peers.Event) bool { return e.Event == "gone" })
	simon.write(login.JID, "while away")
	settled()
	resume()
	awaitBody("while away")
	sendChat(ctx, t, sally, "simon@"+testHost, "still here")
	if err := simon.await(ctx, func() bool { return len(simon.bodies) == 1 }); err != nil {
		t.Fatal(err)
	}
	simon.write(login.JID, "last words")
	awaitBody("last words")
	settled()
	d.Kill()
	d.Start()
	simon.connect(ctx)
	simon.write("sally@"+testHost, "after the crash")
	settled()
	resume()
	awaitBody("after the crash")
}

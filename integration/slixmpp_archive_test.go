package integration_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/integration/peers"
)

// slixmpp pages through an archive from its end: each message once, as they were sent (XEP-0313 §4.3).
func TestSlixmppPagesArchive(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*peerTimeout)
	defer cancel()
	d := peers.StartDragoman(t, peers.Options{Setup: foreignSetup})
	sally := peers.StartSlixmpp(t)
	if err := sally.Login(ctx, &d.Server, foreignSetup.Accounts[0]); err != nil {
		t.Fatal(err)
	}
	var want []string
	for i := range 120 {
		want = append(want, fmt.Sprint("message ", i))
		sendChat(ctx, t, sally, foreignSetup.Accounts[1].User+"@"+testHost, want[i])
	}
	var found struct{ Messages []struct{ ID, Body string } }
	if err := sally.Do(ctx, "archive", map[string]any{"last": 1000}, &found); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range found.Messages {
		got = append(got, m.Body)
	}
	// The pages come from the end, and each is in order.
	pages := slices.Collect(slices.Chunk(want[20:], 50))
	slices.Reverse(pages)
	if want = append(slices.Concat(pages...), want[:20]...); !slices.Equal(got, want) {
		t.Errorf("%d messages, want %d: %v", len(got), len(want), got)
	}
}

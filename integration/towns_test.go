package integration_test

import (
	"context"
	"testing"
	"time"
)

// town is a network's stand-in with a few people, seen alike for all networks: one person
// to talk with, one channel, the user's own account, and what can go wrong.
type town interface {
	// kind is the section of the configuration: "slack".
	kind() string
	// apiURL is the setting api_url.
	apiURL() string
	// tokens are the answers to the login's form, by the last part of the field's name.
	tokens() map[string]string
	// friend is the person to talk with: localpart of their JID, name, roster group.
	friend() (local, name, group string)
	// channel is the room: localpart of its JID, and its name.
	channel() (local, name string)

	// says lets the friend write to the user or in the channel.
	says(direct bool, text string) note
	edits(n note, text string)
	deletes(n note)
	// lines is what is written there now, as "name: text", oldest first.
	lines(direct bool) []string
	// comesOnline shows the friend online, or offline.
	comesOnline(online bool)

	// outage makes the network go away, and restore come back.
	outage()
	restore(ctx context.Context)
	// revoke makes the tokens worthless; tokens gives others after it.
	revoke()
	// loseReply lets the next call that writes happen, and its answer get lost.
	loseReply(direct bool)
	// redeliver sends the last events again, where the network does that.
	redeliver()
}

// note is a message as the network names it.
type note struct {
	direct bool
	id     any
}

// awaitLines waits until what is written in a town satisfies ok.
func awaitLines(ctx context.Context, t *testing.T, w town, direct bool, ok func([]string) bool) []string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		lines := w.lines(direct)
		if ok(lines) {
			return lines
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s shows not what is awaited, but %q", w.kind(), lines)
		}
	}
}

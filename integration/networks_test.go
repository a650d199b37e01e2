package integration_test

import (
	"context"
	"testing"
	"time"
)

// fakeNetwork is the fake server of a network with two users, seen alike for all networks: the owner of the
// linked login, and a friend to write to. There is one channel.
type fakeNetwork struct {
	networkInfo
	friendActions
	networkFaults
}

// networkInfo is what a gateway and its user need to know of a network.
type networkInfo interface {
	// kind is the section of the configuration: "slack".
	kind() string
	// apiURL is the setting api_url.
	apiURL() string
	// tokens are the answers to the login's form, by the last part of the field's name.
	tokens() map[string]string
	// friend is the user to write to: localpart of their JID, name, roster group.
	friend() (local, name, group string)
	// channel is the channel: localpart of its JID, and its name.
	channel() (local, name string)
}

// friendActions is what the friend does, and sees.
type friendActions interface {
	// send sends a message to the login's owner or to the channel.
	send(direct bool, text string) messageRef
	edit(m messageRef, text string)
	remove(m messageRef)
	// lines are the messages that are shown there, as "name: text", oldest first.
	lines(direct bool) []string
	// setOnline shows the friend online, or offline.
	setOnline(online bool)
}

// networkFaults is what can go wrong.
type networkFaults interface {
	// outage makes the network unreachable, and restore ends that.
	outage()
	restore(ctx context.Context)
	// revoke invalidates the tokens; tokens returns new ones after it.
	revoke()
	// loseReply has the next call that sends a message take effect, and loses its reply.
	loseReply(direct bool)
	// redeliver sends the last events again, where the network does that.
	redeliver()
}

// messageRef is a message as the network names it.
type messageRef struct {
	direct bool
	id     any
}

// awaitLines waits until the messages that a network shows satisfy ok.
func awaitLines(ctx context.Context, t *testing.T, w fakeNetwork, direct bool, ok func([]string) bool) []string {
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

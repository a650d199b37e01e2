package demo

import (
	"bytes"
	"testing"
)

// TestNetworks checks that every user and every channel that the tables name exists, and that the two logins
// of a network have different tokens.
func TestNetworks(t *testing.T) {
	t.Parallel()
	tracer := newTracer(newScreen(&bytes.Buffer{}))
	slack, slackSide, err := startSlack(tracer)
	if err != nil {
		t.Fatal(err)
	}
	defer slack.close()
	discord, discordSide, err := startDiscord(tracer)
	if err != nil {
		t.Fatal(err)
	}
	defer discord.close()
	rooms := map[*network]func(conversation) string{
		slackSide:   func(c conversation) string { return slack.bridgeID(c.id) },
		discordSide: func(c conversation) string { return c.id },
	}
	for n, room := range rooms {
		testDialogues(t, n)
		testNames(t, n, room)
		mine, others := n.credentials, n.spareCredentials
		if mine[len(mine)-1] == others[len(others)-1] {
			t.Errorf("%s has the same tokens for two logins", n.name)
		}
	}
	if c := slack.server.Complaints(); len(c) > 0 {
		t.Errorf("the fake Slack server complains: %v", c)
	}
}

func testDialogues(t *testing.T, n *network) {
	for _, dialogue := range newResponder(n, true).dialogues {
		for _, l := range dialogue {
			if _, err := n.actions.send(n.users[l.user], n.channels[l.channel], l.text); err != nil {
				t.Errorf("%s: %v", n.name, err)
			}
		}
	}
}

func testNames(t *testing.T, n *network, room func(conversation) string) {
	for _, u := range n.users {
		m, err := n.actions.send(u, n.names.direct(u), greetings[0])
		if err != nil {
			t.Errorf("%s: %v", n.name, err)
		}
		if name, ok := n.names.roomName(room(m.conversation)); !ok || name != u.name {
			t.Errorf("%s: the direct conversation with %s is called %q", n.name, u.name, name)
		}
	}
	for _, c := range n.channels {
		if name, ok := n.names.roomName(n.names.roomAddress(c)); !ok || name != c.name {
			t.Errorf("%s: %s is called %q", n.name, c.name, name)
		}
	}
	if name, ok := n.names.roomName("a room of no network"); ok {
		t.Errorf("%s has a room %q", n.name, name)
	}
}

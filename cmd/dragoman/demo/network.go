package demo

import (
	"context"
	"sync/atomic"
	"time"
)

// network is one fake network with its users, seen alike for all networks.
type network struct {
	kind     string // the section of the configuration: "slack"
	name     string // for people: "Slack"
	apiURL   string
	group    string // where the roster shows the users
	channels []conversation
	users    []*user // those with whom one talks; the tour writes to the first

	// credentials are what the gateway asks for when somebody links a login, in this order;
	// spareCredentials link a second login.
	credentials, spareCredentials []credential

	names    namer
	actions  actor
	observer observer
}

// namer translates between the network's ids and the gateway's.
type namer interface {
	// userAddress is the localpart of a user's JID.
	userAddress(u *user) string
	// roomAddress is the localpart of a channel's JID.
	roomAddress(c conversation) string
	// roomName is the name of a room of the bridge; false where it belongs to another network.
	roomName(room string) (string, bool)
	// direct is the direct conversation of a user with the tour's login.
	direct(u *user) conversation
}

// actor does something in the network as one of its users.
type actor interface {
	send(u *user, in conversation, text string) (messageRef, error)
	edit(u *user, m messageRef, text string) error
	remove(u *user, m messageRef) error
	react(u *user, m messageRef, with emoji) error
	typing(u *user, in conversation)
}

// observer sees what the network shows.
type observer interface {
	// onMessage has f called with each message that none of the simulated users wrote.
	onMessage(f func(incoming))
	// awaitTranscript waits until the messages that a conversation shows satisfy ok.
	awaitTranscript(ctx context.Context, in conversation, ok func(lines []string) bool) bool
}

// credential is something to paste.
type credential struct {
	question string // a part of the gateway's question
	value    string
}

// conversation is a channel or a direct conversation, by the network's id.
type conversation struct {
	id     string
	name   string // "#general"
	direct bool
}

// messageRef names a message of a conversation.
type messageRef struct {
	conversation conversation
	id           string
}

// incoming is a message to the simulated users.
type incoming struct {
	messageRef
	author string
	text   string
	to     *user // in a direct conversation
}

// emoji is a reaction by its character and by the name that Slack has for it.
type emoji struct{ char, name string }

// adjustableClock tells the fake servers the time. It is set back while the history is written, so that
// the messages from before the demo have times in the hours before.
type adjustableClock struct{ behind atomic.Int64 }

func (c *adjustableClock) now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

// setBack makes the clock show the time of some while ago.
func (c *adjustableClock) setBack(d time.Duration) { c.behind.Store(int64(d)) }

// historyInterval is the time between two messages of the history.
const historyInterval = 7 * time.Minute

// writeHistory fills the channels with messages from before the demo.
func writeHistory(n *network, clock *adjustableClock, lines []scriptLine) error {
	for i, l := range lines {
		clock.setBack(time.Duration(len(lines)-i) * historyInterval)
		if _, err := n.actions.send(n.users[l.user], n.channels[l.channel], l.text); err != nil {
			return err
		}
	}
	clock.setBack(0)
	return nil
}

// scriptLine is a message that one of a network's users writes in one of its channels, by their indexes.
type scriptLine struct {
	user, channel int
	text          string
}

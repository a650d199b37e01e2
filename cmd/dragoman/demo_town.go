package main

import (
	"context"
	"sync/atomic"
	"time"
)

// town is the stand-in of one network with its people, seen alike for all networks.
type town interface {
	kind() string // the section of the configuration: "slack"
	name() string // for people: "Slack"
	apiURL() string
	// tokens are what the gateway asks for when somebody links an account, in this order: those of
	// the tour's account or of a second one.
	tokens(second bool) []credential
	// places are the channels; the tour takes place in the first.
	places() []place
	// people live here; the tour writes to the first.
	people() []*person
	// group is where the roster shows the people.
	group() string
	// address is the localpart of somebody's JID.
	address(p *person) string
	// roomAddress is the localpart of a channel's JID.
	roomAddress(p place) string
	// roomName is what a room of the bridge is called; false where it is of another network.
	roomName(room string) (string, bool)

	say(p *person, where place, text string) (note, error)
	edit(p *person, n note, text string) error
	remove(p *person, n note) error
	react(p *person, n note, with emoji) error
	typing(p *person, where place)
	// direct is the conversation of somebody with the tour's account.
	direct(p *person) place
	// listen has f called with everything that is said by others than the people.
	listen(f func(heard))
	// await waits until what a place shows satisfies ok.
	await(ctx context.Context, where place, ok func(lines []string) bool) bool
}

// credential is something to paste.
type credential struct {
	asked string // a part of the gateway's question
	value string
}

// place is a channel or a conversation, by the network's id.
type place struct {
	id     string
	name   string // "#general"
	direct bool
}

// note is a message that somebody wrote.
type note struct {
	place place
	id    string
}

// heard is something that was said to the people.
type heard struct {
	note
	by   string // name of the speaker
	text string
	to   *person // in a conversation, the other one
}

// emoji is a picture by the character and by the name that Slack has for it.
type emoji struct{ char, name string }

// worldClock tells the stand-ins the time. While the world is made it lags behind, so that what was
// said before the demo began has happened in the hours before.
type worldClock struct{ behind atomic.Int64 }

// now is the time in the world.
func (c *worldClock) now() time.Time { return time.Now().Add(-time.Duration(c.behind.Load())) }

// ago sets the clock to some time before now.
func (c *worldClock) ago(d time.Duration) { c.behind.Store(int64(d)) }

// between is the time that passes between two lines of the world's history.
const between = 7 * time.Minute

// recall lets people say what they said before the demo began.
func recall(t town, clock *worldClock, lines []line) error {
	places, people := t.places(), t.people()
	for i, l := range lines {
		clock.ago(time.Duration(len(lines)-i) * between)
		if _, err := t.say(people[l.who], places[l.where], l.text); err != nil {
			return err
		}
	}
	clock.ago(0)
	return nil
}

// line is something that one of a town's people says in one of its places, by their indexes.
type line struct {
	who, where int
	text       string
}

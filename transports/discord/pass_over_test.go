package discord

import (
	"slices"
	"testing"

	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// An event for which something has to be asked that is never answered ends the connection a few times and is then passed over:
// what comes behind it arrives.
func TestEventThatCannotBeHandled(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link())
	dm := w.DM(w.ann, w.bot.ID())
	asked := w.Inject("GET /channels/{channel_id}", -1, fake.Broken(502))
	w.say(dm, w.ann, "in a channel that cannot be asked for")
	w.say(w.general, w.ben, "behind it")
	k.Event(t, "message behind it")
	k.Await(t, "a gap in that channel", func() bool { return slices.Contains(k.Missed, transports.RoomID(dm)) })
	if n := asked.Hits(); n != maxTries {
		t.Errorf("asked %d times, want %d", n, maxTries)
	}
	asked.Remove()
	w.say(dm, w.ann, "later")
	k.Event(t, "message later")
}

package discord

import (
	"testing"

	"github.com/dragoman-im/dragoman/transports/discord/fake"
)

// Reactions that a moderator removes, those with one emoji or all, are removed here too.
func TestReactionsAreCleared(t *testing.T) {
	w := newWorld(t)
	_, k := w.open(w.link())
	id := fake.ID(w.say(w.general, w.ann, "hello"))
	w.must(w.React(w.general, id, w.ann, "👍"))
	w.must(w.React(w.general, id, w.ben, "👍"))
	w.must(w.React(w.general, id, w.ben, "🎉"))
	w.must(w.ClearReactions(w.general, id, "👍"))
	k.Event(t, "reactions cleared 👍")
	w.must(w.ClearReactions(w.general, id, ""))
	k.Event(t, "reactions cleared")
}

package history

import (
	"context"
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NSCorrect is the namespace of corrections (XEP-0308).
const NSCorrect = "urn:xmpp:message-correct:0"

// Source returns messages of the room: the last entries that match the query,
// the oldest first.
type Source interface {
	History(ctx context.Context, q Query) ([]Entry, error)
}

// Query selects part of the history.
type Query struct {
	Room  string    // bare JID
	Max   int       // messages, at least 1
	Since time.Time // zero is from the beginning
}

// Entry is one message of the history: from room/nick, with occupant-id and stanza-id,
// without a receiver and without a stamp.
type Entry struct {
	Stanza *stanza.Stanza
	At     time.Time
	// StanzaID is the room's id of the message, From the occupant id of the sender. A
	// Ring needs them to find retracted messages; they are not sent apart from the stanza.
	StanzaID, From string
}

// Size returns the length of the entry's XML.
func (e Entry) Size() int {
	st := e.Stanza
	return len(st.Payload) + len(st.Extra) + len(st.ID) + len(st.Lang) + len(st.From.String()) + 64
}

// Ring is a History in memory, bounded in messages and in bytes.
type Ring struct {
	entries []Entry
	max     int
	bytes   int
	limit   int
}

// NewRing returns a ring of at most max messages and limit bytes.
func NewRing(max, limit int) *Ring { return &Ring{max: max, limit: limit} }

// Add appends a message and drops the oldest ones beyond the limits.
func (h *Ring) Add(e Entry) {
	e.Stanza.DropTree()
	h.entries = append(h.entries, e)
	h.bytes += e.Size()
	drop := 0
	for drop < len(h.entries) && (len(h.entries)-drop > h.max || h.bytes > h.limit) {
		h.bytes -= h.entries[drop].Size()
		h.entries[drop] = Entry{}
		drop++
	}
	h.entries = h.entries[drop:]
}

// Remove removes the message with a stanza-id, for example a moderated one. It reports whether there was one.
func (h *Ring) Remove(stanzaID string) bool {
	return h.remove(func(e *Entry) bool { return e.StanzaID == stanzaID })
}

// Retract removes the message with a stanza-id if the same occupant sent it.
func (h *Ring) Retract(stanzaID, from string) bool {
	return h.remove(func(e *Entry) bool { return e.StanzaID == stanzaID && e.From == from })
}

// remove removes a message, and all that its sender has corrected it by (XEP-0308): a correction is the message in another
// version.
func (h *Ring) remove(is func(*Entry) bool) bool {
	i := slices.IndexFunc(h.entries, func(e Entry) bool { return is(&e) })
	if i < 0 {
		return false
	}
	gone := h.entries[i]
	versions := map[string]bool{gone.Stanza.ID: gone.Stanza.ID != ""}
	h.entries = slices.DeleteFunc(slices.Clone(h.entries), func(e Entry) bool {
		drop := e.StanzaID == gone.StanzaID
		if x := e.Stanza.Child(NSCorrect, "replace"); x != nil && e.From == gone.From && versions[x.Attr("id")] {
			versions[e.Stanza.ID], drop = e.Stanza.ID != "", true // it may be corrected itself
		}
		if drop {
			h.bytes -= e.Size()
		}
		return drop
	})
	return true
}

// Len returns how many messages the ring holds.
func (h *Ring) Len() int { return len(h.entries) }

// History implements Source.
func (h *Ring) History(_ context.Context, q Query) ([]Entry, error) {
	from := max(len(h.entries)-q.Max, 0)
	for from < len(h.entries) && h.entries[from].At.Before(q.Since) {
		from++
	}
	return append([]Entry(nil), h.entries[from:]...), nil
}

// Entries returns the messages of the ring, the oldest first. The caller must not change them.
func (h *Ring) Entries() []Entry { return h.entries }

// Bytes returns the size of the messages of the ring.
func (h *Ring) Bytes() int { return h.bytes }

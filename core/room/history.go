package room

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// History returns messages of the room: the last entries that match the query,
// the oldest first.
type History interface {
	History(ctx context.Context, q HistoryQuery) ([]Entry, error)
}

// HistoryQuery selects part of the history.
type HistoryQuery struct {
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

// size returns the length of the entry's XML.
func (e Entry) size() int {
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
	h.bytes += e.size()
	drop := 0
	for drop < len(h.entries) && (len(h.entries)-drop > h.max || h.bytes > h.limit) {
		h.bytes -= h.entries[drop].size()
		h.entries[drop] = Entry{}
		drop++
	}
	h.entries = h.entries[drop:]
}

// Remove removes the message with a stanza-id, for example a moderated one. It reports whether there was one.
func (h *Ring) Remove(stanzaID string) bool {
	return h.remove(func(e *Entry) bool { return e.StanzaID == stanzaID })
}

// retract removes the message with a stanza-id if the same occupant sent it.
func (h *Ring) retract(stanzaID, from string) bool {
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
		if x := e.Stanza.Child(nsCorrect, "replace"); x != nil && e.From == gone.From && versions[x.Attr("id")] {
			versions[e.Stanza.ID], drop = e.Stanza.ID != "", true // it may be corrected itself
		}
		if drop {
			h.bytes -= e.size()
		}
		return drop
	})
	return true
}

// Len returns how many messages the ring holds.
func (h *Ring) Len() int { return len(h.entries) }

// History implements History.
func (h *Ring) History(_ context.Context, q HistoryQuery) ([]Entry, error) {
	from := max(len(h.entries)-q.Max, 0)
	for from < len(h.entries) && h.entries[from].At.Before(q.Since) {
		from++
	}
	return append([]Entry(nil), h.entries[from:]...), nil
}

// RemoveHistory removes a message from the room's own history.
func (r *Room) RemoveHistory(stanzaID string) bool { return r.ring != nil && r.ring.Remove(stanzaID) }

// sendHistory sends the part of the history that an entering session requests, at most what the room
// allows (XEP-0045 §7.2.14).
func (r *Room) sendHistory(ctx context.Context, s *session, request *stanza.Element) {
	q := HistoryQuery{Room: r.jid.String(), Max: r.config.History}
	if q.Max == 0 {
		q.Max = DefaultHistory
	}
	if request.Attr("since") != "" || request.Attr("seconds") != "" {
		q.Max = r.limits.History // a returning client asks for all that it has missed
	}
	if n, ok := count(request, "maxstanzas"); ok {
		q.Max = n // a request may exceed the default, not the limit
	}
	if r.config.History < 0 {
		return
	}
	q.Max = min(q.Max, r.limits.History)
	chars, limited := count(request, "maxchars")
	if q.Max <= 0 || limited && chars == 0 {
		return
	}
	if n, ok := count(request, "seconds"); ok {
		q.Since = r.now().Add(-time.Duration(n) * time.Second)
	}
	if t, err := time.Parse(time.RFC3339Nano, request.Attr("since")); err == nil && t.After(q.Since) {
		q.Since = t // XEP-0082
	}
	entries, err := r.history.History(ctx, q)
	if err != nil {
		r.log.Error("room history unreadable", "error", err)
		return
	}
	if len(entries) > q.Max {
		entries = entries[len(entries)-q.Max:]
	}
	entries = message.ApplyCorrections(entries, func(e *Entry) **stanza.Stanza { return &e.Stanza }, !q.Since.IsZero())
	for _, st := range r.stamped(entries, s, q.Since, limited, chars) {
		r.send(st)
	}
}

// maxHistorySent is the size of the history that is sent at once: it must fit into the queue of a client, however slowly
// that one reads.
const maxHistorySent = 512 << 10

// stamped returns the stanzas of entries with delays, without those that are too old, or exceed chars or maxHistorySent.
func (r *Room) stamped(entries []Entry, s *session, since time.Time, limited bool, chars int) []*stanza.Stanza {
	var list []*stanza.Stanza
	for _, e := range entries {
		if e.At.Before(since) {
			continue
		}
		st := e.Stanza.WithTo(s.jid)
		st.Payload = e.Stanza.Payload + stanza.Encode(r.delay(e.At)) // XEP-0045 §7.2.13
		list = append(list, st)
	}
	if chars = min(chars, maxHistorySent); !limited {
		chars = maxHistorySent
	}
	from := len(list)
	var xml []byte
	for from > 0 {
		xml = list[from-1].AppendXML(xml[:0], "")
		if chars -= len(xml); chars < 0 {
			break
		}
		from--
	}
	return list[from:]
}

// delay returns the delay element of the room (XEP-0203; XEP-0045 §7.2.13: from the room itself).
func (r *Room) delay(at time.Time) *stanza.Element {
	return message.Delay(r.jid, at)
}

// count parses a number that is not negative. One that is too large for 31 bits becomes the largest.
func count(e *stanza.Element, attr string) (int, bool) {
	n, err := strconv.ParseUint(e.Attr(attr), 10, 31)
	return int(n), err == nil || errors.Is(err, strconv.ErrRange)
}

package room

import (
	"context"
	"errors"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/room/history"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/room/rules"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// RemoveHistory removes a message from the room's own history.
func (r *Room) RemoveHistory(stanzaID string) bool { return r.ring != nil && r.ring.Remove(stanzaID) }

// sendHistory sends the part of the history that an entering session requests, at most what the room
// allows (XEP-0045 §7.2.14).
func (r *Room) sendHistory(ctx context.Context, s *occupants.Session, request *stanza.Element) {
	q := history.Query{Room: r.jid.String(), Max: r.config.History}
	if q.Max == 0 {
		q.Max = rules.DefaultHistory
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
	entries = message.ApplyCorrections(entries, func(e *history.Entry) **stanza.Stanza { return &e.Stanza }, !q.Since.IsZero())
	for _, st := range r.stamped(entries, s, q.Since, limited, chars) {
		r.send(st)
	}
}

// maxHistorySent is the size of the history that is sent at once: it must fit into the queue of a client, however slowly
// that one reads.
const maxHistorySent = 512 << 10

// stamped returns the stanzas of entries with delays, without those that are too old, or exceed chars or maxHistorySent.
func (r *Room) stamped(entries []history.Entry, s *occupants.Session, since time.Time, limited bool, chars int) []*stanza.Stanza {
	var list []*stanza.Stanza
	for _, e := range entries {
		if e.At.Before(since) {
			continue
		}
		st := e.Stanza.WithTo(s.JID)
		st.Payload = e.Stanza.Payload + stanza.Encode(r.delay(e.At)) // XEP-0045 §7.2.13
		list = append(list, st)
	}
	from, room := len(list), maxHistorySent
	var xml []byte
	for from > 0 {
		xml = list[from-1].AppendXML(xml[:0], "")
		room -= len(xml)
		if chars -= utf8.RuneCount(xml); room < 0 || limited && chars < 0 { // XEP-0045 §7.2.14: characters of the whole stanza
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

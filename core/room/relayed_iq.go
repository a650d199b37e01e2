package room

import (
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/room/conceal"
	"github.com/dragoman-im/dragoman/core/room/muc"
	"github.com/dragoman-im/dragoman/core/room/occupants"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// maxPendingOfOne is how many relayed IQs of one session may wait for an answer, so that others have a share of
// Limits.PendingQueries.
const maxPendingOfOne = 32

// relayTimeout is how long the room waits for the answer to a relayed IQ.
const relayTimeout = 2 * time.Minute

// relayed is an IQ that was passed to a session of another occupant and is not answered yet.
type relayed struct {
	from, to *occupants.Session
	nick     jid.JID // room/nick that the IQ was sent to
	id       string  // of the IQ, as its sender knows it
	vcard    bool
	expires  time.Time
}

// relay passes an IQ to one session of an occupant with a new id, by which
// answerRelayed finds the session that sent it (XEP-0045 §17.4).
func (r *Room) relay(s *occupants.Session, to *occupants.Occupant, st *stanza.Stanza, payload *stanza.Element) error {
	target := to.BestSession()
	if target == nil {
		return stanza.ServiceUnavailable("")
	}
	r.expireQueries()
	if len(r.queries) >= r.limits.PendingQueries || r.pendingOf(s) >= maxPendingOfOne {
		return stanza.ResourceConstraint("Too many requests wait for an answer.")
	}
	q := &relayed{
		from: s, to: target, nick: st.To, id: st.ID,
		vcard: payload.Space == muc.NSVCard, expires: r.now().Add(relayTimeout),
	}
	id := stanza.NewID()
	r.queries[id] = q
	c := conceal.Stanza(st, s.JID, s.Occupant.JID).WithFrom(s.Occupant.JID)
	c.To, c.ID = target.JID, id
	if q.vcard { // the account answers for its vCard (XEP-0054 §3.3)
		c.To = target.JID.Bare()
	}
	r.send(c)
	return nil
}

// pendingOf returns how many relayed IQs of a session wait for an answer.
func (r *Room) pendingOf(s *occupants.Session) int {
	n := 0
	for _, q := range r.queries {
		if q.from == s {
			n++
		}
	}
	return n
}

// answerRelayed passes an answer back to the session that asked.
func (r *Room) answerRelayed(st *stanza.Stanza) {
	q := r.queries[st.ID]
	if q == nil || st.From != q.to.JID && !(q.vcard && st.From == q.to.JID.Bare()) {
		return
	}
	delete(r.queries, st.ID)
	c := conceal.Stanza(st, q.to.JID, q.nick).WithFrom(q.nick)
	c.To, c.ID = q.from.JID, q.id
	r.send(c)
}

// forgetQueries removes the relayed IQs from a session that has left, and answers those to it with an error.
func (r *Room) forgetQueries(s *occupants.Session) {
	for id, q := range r.queries {
		if q.from != s && q.to != s {
			continue
		}
		delete(r.queries, id)
		if q.from != s {
			r.failQuery(q, stanza.RecipientUnavailable(""))
		}
	}
}

func (r *Room) expireQueries() {
	if len(r.queries) < r.limits.PendingQueries {
		return
	}
	now := r.now()
	for id, q := range r.queries {
		if now.After(q.expires) {
			delete(r.queries, id)
			r.failQuery(q, stanza.RemoteServerTimeout(""))
		}
	}
}

func (r *Room) failQuery(q *relayed, e *stanza.Error) {
	r.send(&stanza.Stanza{
		Kind: stanza.IQ, To: q.from.JID, From: q.nick, ID: q.id, Type: stanza.TypeError,
		Payload: stanza.Encode(e.Element()),
	})
}

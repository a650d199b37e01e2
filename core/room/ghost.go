package room

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// handleReply handles errors and IQ results. An error may show that a session does not exist any more (a ghost,
// XEP-0045 §18.1.2, XEP-0410); any other reply may belong to a relayed IQ or message.
func (r *Room) handleReply(ctx context.Context, st *stanza.Stanza) {
	if st.Kind == stanza.IQ {
		r.answerRelayed(st)
	}
	s := r.bySession[st.From]
	if s == nil || st.Type != stanza.TypeError {
		return
	}
	e := st.Err()
	if undelivered(st.Kind, e.Condition) {
		r.endSession(ctx, s, Departure{Kind: Fault}, nil)
		return
	}
	if st.Kind == stanza.Message && st.To.IsFull() { // the receiver of a private message refused it
		if to := r.byNick[st.To.Resource()]; to != nil && len(to.sessions) > 0 {
			r.deliver(to, Post{From: s.o.id, ID: st.ID, Payload: stanza.Encode(e.Element())}, stanza.TypeError)
		}
	}
}

// undelivered reports whether an error means that the session does not exist any longer. A
// client's error about an unknown IQ does not mean that.
func undelivered(kind stanza.Kind, condition string) bool {
	switch condition {
	case "gone", "recipient-unavailable", "redirect", "remote-server-not-found", "remote-server-timeout":
		return true
	case "item-not-found", "service-unavailable", "jid-malformed", "internal-server-error":
		return kind != stanza.IQ
	}
	return false
}

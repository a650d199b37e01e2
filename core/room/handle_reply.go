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
	if st.Kind == stanza.Message && st.Type == stanza.TypeError && st.To.IsBare() && r.inviteFailed(st) {
		return
	}
	s := r.occupants.BySession(st.From)
	if s == nil || st.Type != stanza.TypeError {
		return
	}
	e := st.Err()
	if undelivered(st.Kind, e.Condition) {
		r.endSession(ctx, s, Departure{Kind: Fault}, nil)
		return
	}
	if st.Kind == stanza.Message && st.To.IsFull() { // the receiver of a private message refused it
		if to := r.occupants.ByNick(st.To.Resource()); to != nil && len(to.Sessions) > 0 {
			r.deliver(to, Post{From: s.Occupant.ID, ID: st.ID, Payload: stanza.Encode(plainError(e).Element())}, stanza.TypeError)
		}
	}
}

// plainError is an error without what could contain an address: its text, which a server writes, and what is added to it.
func plainError(e *stanza.Error) *stanza.Error {
	return &stanza.Error{Type: e.Type, Condition: e.Condition}
}

// inviteFailed informs the inviter that an invitation could not be delivered (XEP-0045 §7.8.2).
func (r *Room) inviteFailed(st *stanza.Stanza) bool {
	by, ok := r.invites[st.From.Bare()]
	if !ok || r.occupants.BySession(st.From) != nil {
		return false
	}
	delete(r.invites, st.From.Bare())
	if r.occupants.BySession(by) != nil {
		r.send(&stanza.Stanza{
			Kind: stanza.Message, To: by, From: r.jid, ID: st.ID, Type: stanza.TypeError,
			Payload: stanza.Encode(stanza.ItemNotFound("The invitation to " + st.From.Bare().String() + " could not be delivered.").Element()),
		})
	}
	return true
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

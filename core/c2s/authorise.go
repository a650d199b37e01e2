package c2s

import (
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/core/stream"
)

var errInvalidFrom = stream.NewError(stream.InvalidFrom, "")

// authorise sets the sender of a stanza, and refuses another one: the session's full address, or its bare one
// for a presence about subscriptions (RFC 6120 §8.1.2.1, RFC 6121 §3).
func (c *conn) authorise(st *stanza.Stanza) error {
	if !st.From.IsZero() && st.From != c.session.jid && st.From != c.who {
		return errInvalidFrom
	}
	st.From = c.session.jid
	if st.Kind == stanza.Presence && aboutSubscription(st.Type) {
		st.From = c.who
	}
	return nil
}

func aboutSubscription(typ string) bool {
	switch typ {
	case stanza.TypeSubscribe, stanza.TypeSubscribed, stanza.TypeUnsubscribe, stanza.TypeUnsubscribed:
		return true
	}
	return false
}

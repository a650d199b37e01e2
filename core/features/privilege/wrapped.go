package privilege

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// unwrap returns the message inside a privilege element.
func unwrap(x *stanza.Element) (*stanza.Stanza, error) {
	m := x.Child(nsForward, "forwarded").Child(stanza.NSClient, "message")
	if m == nil {
		return nil, stanza.BadRequest("there is no forwarded message")
	}
	if _, err := jid.Parse(m.Attr("from")); err != nil {
		return nil, stanza.Forbidden("the message has no sender")
	}
	st, err := stanza.FromElement(m)
	if err != nil || st.To.IsZero() {
		return nil, stanza.JIDMalformed("the message has no receiver")
	}
	if st.ID == "" {
		st.ID = stanza.NewID()
	}
	return st, nil
}

// sentElsewhere returns the message that a carbon copy to an account, by the account, says it has sent; nil where st is
// no copy. Gateways send them for what somebody writes with the network's own client. Clients believe copies that come in
// the name of their account (XEP-0280 §11): those of what others have sent are refused.
func sentElsewhere(st *stanza.Stanza) (*stanza.Stanza, error) {
	if st.To.Bare() != st.From || !st.MayHave(message.NSCarbons, "") {
		return nil, nil
	}
	carbon := st.Child(message.NSCarbons, "sent")
	if carbon == nil && st.Child(message.NSCarbons, "received") == nil {
		return nil, nil
	}
	m := carbon.Child(nsForward, "forwarded").Child(stanza.NSClient, "message")
	if m == nil {
		return nil, stanza.Forbidden("only what the account has sent may be copied in its name")
	}
	sent, err := stanza.FromElement(m)
	if err != nil || sent.From != st.From || sent.To.IsZero() || sent.To.Bare() == st.From {
		return nil, stanza.Forbidden("only what the account has sent to others may be copied in its name")
	}
	sent.Entry = st.Entry
	return sent, nil
}

// SentElsewhere returns the message in a gateway's message to a host that says that an account has sent it with the
// network's own client; nil where it says something else.
func SentElsewhere(st *stanza.Stanza) *stanza.Stanza {
	x := st.Child(NS, "privilege")
	if st.To.Local() != "" || x == nil {
		return nil
	}
	inner, err := unwrap(x)
	if err != nil {
		return nil
	}
	inner.Entry = st.Entry
	sent, err := sentElsewhere(inner)
	if err != nil {
		return nil
	}
	return sent
}

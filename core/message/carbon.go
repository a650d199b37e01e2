package message

import (
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const nsForward = "urn:xmpp:forward:0" // XEP-0297

// FlagCarbons is the name of the flag of sessions that get copies.
const FlagCarbons = "carbons"

// Carbon returns the copy of a message of an account for one of its sessions (XEP-0280 §7, §8).
func Carbon(st *stanza.Stanza, d Direction, to jid.JID) *stanza.Stanza {
	return CarbonOf(to, st.Type, CarbonPayload(st, d))
}

// CarbonOf returns the copy with a payload of CarbonPayload, which several sessions may share.
func CarbonOf(to jid.JID, typ, payload string) *stanza.Stanza {
	return &stanza.Stanza{Kind: stanza.Message, To: to, From: to.Bare(), ID: stanza.NewID(), Type: typ, Payload: payload}
}

// CarbonPayload returns the content of a copy.
func CarbonPayload(st *stanza.Stanza, d Direction) string {
	b := make([]byte, 0, len(st.Payload)+400)
	b = append(b, "<"+string(d)+" xmlns='"+NSCarbons+"'><forwarded xmlns='"+nsForward+"'>"...)
	b = st.AppendXML(b, stanza.NSClient)
	return string(append(b, "</forwarded></"+string(d)+">"...))
}

// carried returns the message inside a copy for a session, and which it is; nil for any other message.
func carried(st *stanza.Stanza) (*stanza.Element, Direction) {
	if st.From != st.To.Bare() || !st.MayHave(NSCarbons, "forwarded") {
		return nil, ""
	}
	for _, d := range []Direction{Received, Sent} {
		if inner := st.Child(NSCarbons, string(d)).Child(nsForward, "forwarded").Child(stanza.NSClient, "message"); inner != nil {
			return inner, d
		}
	}
	return nil, ""
}

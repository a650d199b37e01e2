package carbons

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS           = "urn:xmpp:carbons:2"
	nsForward    = "urn:xmpp:forward:0"
	nsHints      = "urn:xmpp:hints"
	nsMUCUser    = "http://jabber.org/protocol/muc#user"
	nsConference = "jabber:x:conference" // XEP-0249
	nsChatState  = "http://jabber.org/protocol/chatstates"
	nsReceipts   = "urn:xmpp:receipts"
	nsMarkers    = "urn:xmpp:chat-markers:0"
)

// enabled is the key of a session's value.
type enabled struct{}

// New registers the feature; Stage joins it to the messages.
func New(h *router.Host) { h.HandleIQ(NS, router.Own(turn)) }

// Features are what the host's disco#info says about this feature.
func Features() []string { return []string{NS} }

// Enable makes a session get copies, or not; for what else can ask for them (XEP-0386).
func Enable(s *router.Bound, on bool) {
	if on {
		s.SetValue(enabled{}, true)
		return
	}
	s.SetValue(enabled{}, nil)
}

// turn is XEP-0280 §4 and §5.
func turn(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Stanza.Type != stanza.TypeSet:
		return nil, stanza.BadRequest("")
	case q.Payload.Local == "enable":
		Enable(q.Session, true)
	case q.Payload.Local == "disable":
		Enable(q.Session, false)
	default:
		return nil, stanza.BadRequest("")
	}
	return nil, nil
}

// Stage makes the copies.
func Stage() router.Stage {
	return router.Stage{Name: "carbons", Outbound: sent, Inbound: received}
}

// sent is XEP-0280 §8. What one sends to oneself is copied as it is received.
func sent(_ context.Context, p *router.Pass) error {
	if p.Stanza.Kind == stanza.Message && p.Stanza.To.Bare() != p.Account {
		spread(p, "sent", func(s *router.Bound) bool { return s != p.Session })
	}
	return nil
}

// received is XEP-0280 §7.
func received(_ context.Context, p *router.Pass) error {
	if p.Stanza.Kind == stanza.Message {
		spread(p, "received", func(s *router.Bound) bool {
			return !slices.Contains(p.Targets, s) && s != p.Session
		})
	}
	return nil
}

// spread gives a copy to each session that wants one and is wanted.
func spread(p *router.Pass, direction string, wanted func(*router.Bound) bool) {
	payload := ""
	for _, s := range p.Host.Sessions(p.Account) {
		if s.Value(enabled{}) == nil || !wanted(s) {
			continue
		}
		if payload == "" {
			if !eligible(p.Stanza, direction) {
				return
			}
			payload = wrap(p.Stanza, direction)
		}
		p.Deliver(s, &stanza.Stanza{
			Kind: stanza.Message, To: s.JID(), From: p.Account, ID: stanza.NewID(), Type: p.Stanza.Type, Payload: payload,
		})
	}
}

func wrap(st *stanza.Stanza, direction string) string {
	b := make([]byte, 0, len(st.Payload)+400)
	b = append(b, "<"+direction+" xmlns='"+NS+"'><forwarded xmlns='"+nsForward+"'>"...)
	b = st.AppendXML(b, stanza.NSClient)
	return string(append(b, "</forwarded></"+direction+">"...))
}

// eligible is XEP-0280 §6.1. Errors are not copied: which message they answer is not known.
func eligible(st *stanza.Stanza, direction string) bool {
	switch st.Type {
	case stanza.TypeGroupchat, stanza.TypeHeadline, stanza.TypeError:
		return false
	}
	if st.MayHave(NS, "private") && st.Child(NS, "private") != nil ||
		st.MayHave(nsHints, "no-copy") && st.Child(nsHints, "no-copy") != nil {
		return false // §9
	}
	if st.MayHave(nsMUCUser, "x") {
		if x := st.Child(nsMUCUser, "x"); x != nil && direction == "received" && st.From.IsFull() {
			return x.Child(nsMUCUser, "invite") != nil // the room tells all sessions that are in it
		}
	}
	if st.Type == stanza.TypeChat {
		return true
	}
	return st.Child("", "body") != nil || slices.ContainsFunc(st.Tree().Nodes, used)
}

// used tells whether a child belongs to instant messaging.
func used(n stanza.Node) bool {
	if n.Element == nil {
		return false
	}
	switch n.Element.Space {
	case nsChatState, nsReceipts, nsMarkers, nsConference, nsMUCUser:
		return true
	}
	return false
}

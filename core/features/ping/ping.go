package ping

import (
	"context"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0199.
const NS = "urn:xmpp:ping"

// New registers the feature.
func New(h *router.Host) { h.HandleIQ(NS, answer) }

// Features are what the host's disco#info says about this feature.
func Features() []string { return []string{NS} }

func answer(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "ping"):
		return nil, stanza.BadRequest("")
	case !q.Account.IsZero() && !q.Own():
		return nil, stanza.ServiceUnavailable("") // as for an account that does not exist
	}
	return nil, nil // XEP-0199 §4.2
}

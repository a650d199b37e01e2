// Package version tells which program serves the host (XEP-0092). The operating system is
// nobody's business. It has no goroutine and no lock.
package version

import (
	"context"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0092.
const NS = "jabber:iq:version"

// New registers the feature.
func New(h *router.Host, name, version string) {
	h.HandleIQ(NS, router.ToHost(func(_ context.Context, q *router.IQ) (*stanza.Element, error) {
		if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "query") {
			return nil, stanza.ServiceUnavailable("")
		}
		return stanza.NewElement(NS, "query").
			Add(stanza.TextElement(NS, "name", name), stanza.TextElement(NS, "version", version)), nil
	}))
}

// Features are what the host's disco#info says about this feature.
func Features() []string { return []string{NS} }

package ping

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0199.
const NS = "urn:xmpp:ping"

// Feature declares the feature.
func Feature() router.Feature {
	iq := map[string]router.IQHandler{NS: answer}
	return router.Feature{
		Name: "ping", HostIQ: iq, AccountIQ: iq,
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Specs:     []spec.Spec{{Number: "0199", Title: "XMPP Ping", Version: "2.0.1", State: spec.Complete, Note: "Server and gateways."}},
	}
}

func answer(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	switch {
	case q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "ping"):
		return nil, stanza.BadRequest("")
	case q.Account != nil && !q.Own():
		return nil, stanza.ServiceUnavailable("") // as for an account that does not exist
	}
	return nil, nil // XEP-0199 §4.2
}

package version

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/form"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0092.
const NS = "jabber:iq:version"

// Feature declares the feature.
func Feature(name, version string) router.Feature {
	return router.Feature{
		Name: "version",
		HostIQ: map[string]router.IQHandler{NS: func(_ context.Context, q *router.IQ) (*stanza.Element, error) {
			if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "query") {
				return nil, stanza.ServiceUnavailable("")
			}
			return stanza.NewElement(NS, "query").
				Add(stanza.TextElement(NS, "name", name), stanza.TextElement(NS, "version", version)), nil
		}},
		HostDisco: router.Disco{Info: disco.Info{
			Features: []string{NS},
			Forms:    []*form.Form{disco.SoftwareForm(name, version, "")}, // where it needs no further question (XEP-0232)
		}},
		Specs: []spec.Spec{
			{Number: "0092", Title: "Software Version", Version: "1.1", State: spec.Complete, Note: "Server and gateways."},
			{Number: "0232", Title: "Software Information", Version: "0.3", State: spec.Partial, Note: "Server and gateways."},
		},
	}
}

package entitytime

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0202.
const NS = "urn:xmpp:time"

// Feature declares the feature.
func Feature() router.Feature {
	return router.Feature{
		Name:      "time",
		HostIQ:    map[string]router.IQHandler{NS: answer},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Specs:     []spec.Spec{{Number: "0202", Title: "Entity Time", Version: "2.0", State: spec.Complete, Note: "Server."}},
	}
}

func answer(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "time") {
		return nil, stanza.ServiceUnavailable("")
	}
	return at(time.Now()), nil
}

// at returns a time in the format of XEP-0202 §3 and XEP-0082.
func at(t time.Time) *stanza.Element {
	return stanza.NewElement(NS, "time").Add(
		stanza.TextElement(NS, "tzo", t.Format("-07:00")),
		stanza.TextElement(NS, "utc", t.UTC().Format("2006-01-02T15:04:05Z")),
	)
}

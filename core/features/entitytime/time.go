package entitytime

import (
	"context"
	"time"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0202.
const NS = "urn:xmpp:time"

// New registers the feature.
func New(h *router.Host) { h.HandleIQ(NS, router.ToHost(answer)) }

// Features are what the host's disco#info says about this feature.
func Features() []string { return []string{NS} }

func answer(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "time") {
		return nil, stanza.ServiceUnavailable("")
	}
	return at(time.Now()), nil
}

// at is a moment as XEP-0202 §3 and XEP-0082 write it.
func at(t time.Time) *stanza.Element {
	return stanza.NewElement(NS, "time").Add(
		stanza.TextElement(NS, "tzo", t.Format("-07:00")),
		stanza.TextElement(NS, "utc", t.UTC().Format("2006-01-02T15:04:05Z")),
	)
}

package disco

import (
	"context"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Options say what the host is.
type Options struct {
	Name string // shown to people
	Node string // URI of the software, for capabilities
	// Shares tells whether other may see the account's presence.
	Shares func(ctx context.Context, account, other jid.JID) bool
}

// Disco serves a host.
type Disco struct {
	Options
	host     *router.Host
	registry *disco.Registry
	account  disco.Info
}

// New registers the feature.
func New(h *router.Host, o Options) *Disco {
	d := &Disco{
		Options: o, host: h, registry: disco.NewRegistry(),
		account: disco.Info{
			Identities: []disco.Identity{{Category: "account", Type: "registered"}},
			Features:   []string{disco.NSInfo, disco.NSItems},
		},
	}
	d.registry.Add(h.Domain(), "", disco.Info{
		Identities: []disco.Identity{{Category: "server", Type: "im", Name: o.Name}},
		Features:   []string{disco.NSCaps},
	})
	h.HandleIQ(disco.NSInfo, d.iq)
	h.HandleIQ(disco.NSItems, d.iq)
	return d
}

// Add makes the host say more of itself.
func (d *Disco) Add(more disco.Info) { d.registry.Add(d.host.Domain(), "", more) }

// AddFeatures is Add for what a feature's Features gives.
func (d *Disco) AddFeatures(features ...string) { d.Add(disco.Info{Features: features}) }

// AddAccountFeatures makes every account say that it has these; call it before the host
// is attached.
func (d *Disco) AddAccountFeatures(features ...string) {
	d.account.Features = append(d.account.Features, features...)
}

// AddItem lists a component or gateway.
func (d *Disco) AddItem(j jid.JID, name string) {
	d.registry.AddItems(d.host.Domain(), "", disco.Item{JID: j, Name: name})
}

// StreamFeatures are the host's capabilities (XEP-0115 §6.3).
func (d *Disco) StreamFeatures(ctx context.Context) []*stanza.Element {
	c, err := d.caps(ctx)
	if err != nil {
		return nil
	}
	return []*stanza.Element{c.Element()}
}

func (d *Disco) caps(ctx context.Context) (disco.Caps, error) {
	info, err := d.registry.Info(ctx, disco.Query{To: d.host.Domain()})
	if err != nil {
		return disco.Caps{}, err
	}
	return info.Caps(d.Node), nil
}

func (d *Disco) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Account.IsZero() {
		return d.ofAccount(ctx, q)
	}
	if q.Payload.Space == disco.NSInfo && q.Payload.Attr("node") != "" {
		if caps, err := d.caps(ctx); err == nil && q.Payload.Attr("node") == caps.InfoNode() {
			return d.ofCaps(ctx, caps) // XEP-0115 §6.2
		}
	}
	return d.registry.Answer(ctx, q.Stanza)
}

func (d *Disco) ofCaps(ctx context.Context, caps disco.Caps) (*stanza.Element, error) {
	info, err := d.registry.Info(ctx, disco.Query{To: d.host.Domain()})
	if err != nil {
		return nil, err
	}
	return info.Element(caps.InfoNode()), nil
}

// ofAccount answers strangers as if there were no account (XEP-0030 §8).
func (d *Disco) ofAccount(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !q.Own() && (d.Shares == nil || !d.Shares(ctx, q.Account, q.Stanza.From.Bare())) {
		return nil, stanza.ServiceUnavailable("")
	}
	switch {
	case q.Stanza.Type != stanza.TypeGet || q.Payload.Local != "query":
		return nil, stanza.FeatureNotImplemented("")
	case q.Payload.Attr("node") != "":
		return nil, stanza.ItemNotFound("")
	case q.Payload.Space == disco.NSInfo:
		return d.account.Element(""), nil
	}
	return disco.ItemsElement("", nil, nil), nil
}

package disco

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Options describe the host.
type Options struct {
	Name string // shown to users
	// Identity is that of the domain; zero: a server that is called Name.
	Identity disco.Identity
	// Account is the identity of accounts; zero: they are registered.
	Account disco.Identity
	Node    string // URI of the software, for entity capabilities (XEP-0115 §4)
	// Shares reports whether other may see the account's presence.
	Shares func(ctx context.Context, account *router.Account, other jid.JID) bool
	// Replaced reports whether a component answers for a namespace in place of the features of the host (XEP-0355 §7.2); nil: none does.
	Replaced func(namespace string) bool
}

// Disco answers service discovery for a host and its accounts.
type Disco struct {
	Options
	host     *router.Host
	items    *disco.Registry // filled while the server is assembled
	complete func() *answers
}

// answers combines what all features declare.
type answers struct{ host, account *disco.Registry }

// New returns the feature.
func New(h *router.Host, o Options) *Disco {
	if o.Identity == (disco.Identity{}) {
		o.Identity = disco.Identity{Category: "server", Type: "im", Name: o.Name}
	}
	if o.Account == (disco.Identity{}) {
		o.Account = disco.Identity{Category: "account", Type: "registered"}
	}
	d := &Disco{Options: o, host: h, items: disco.NewRegistry()}
	h.AnswerNobody("disco", map[string]router.IQHandler{disco.NSInfo: withoutSubscription, disco.NSItems: withoutSubscription})
	d.complete = sync.OnceValue(d.collect)
	return d
}

// Feature declares the feature.
func (d *Disco) Feature() router.Feature {
	iqs := func(f router.IQHandler) map[string]router.IQHandler {
		return map[string]router.IQHandler{disco.NSInfo: f, disco.NSItems: f}
	}
	return router.Feature{
		Name: "disco", HostIQ: iqs(d.ofHost), AccountIQ: iqs(d.ofAccount),
		HostDisco: router.Disco{Info: disco.Info{
			Identities: []disco.Identity{d.Identity},
			Features:   []string{disco.NSCaps, disco.NSCaps2},
		}},
		AccountDisco: router.Disco{Info: disco.Info{
			Identities: []disco.Identity{d.Account},
		}},
		StreamFeatures: d.streamFeatures,
	}
}

// AddItem lists a component or another service of the host.
func (d *Disco) AddItem(j jid.JID, name string) {
	d.items.AddItems(d.host.Domain(), "", disco.Item{JID: j, Name: name})
}

// RemoveItem removes a service from the list.
func (d *Disco) RemoveItem(j jid.JID) { d.items.RemoveItem(d.host.Domain(), "", disco.Item{JID: j}) }

// collect combines what the host's features declare. Entries for the zero address hold for every account.
func (d *Disco) collect() *answers {
	a := &answers{d.items, disco.NewRegistry()}
	for _, f := range d.host.Features() {
		ofHost, ofAccount := d.own(f.HostDisco, f.HostIQ), d.own(f.AccountDisco, f.AccountIQ)
		a.host.Add(d.host.Domain(), "", ofHost.Info)
		a.account.Add(jid.JID{}, "", ofAccount.Info)
		if s := ofHost.Source; s != nil {
			a.host.AddSource(s)
		}
		if s := ofAccount.Source; s != nil {
			a.account.AddSource(s)
		}
	}
	return a
}

// own returns what a feature declares without what is about namespaces for which components answer: their own features, and if
// it handles such a namespace, the identities, forms and items (XEP-0355 §7.2.1, §7.2.3).
func (d *Disco) own(declared router.Disco, handlers map[string]router.IQHandler) router.Disco {
	if d.Replaced == nil {
		return declared
	}
	for namespace := range handlers {
		if d.Replaced(namespace) {
			declared.Identities, declared.Forms, declared.Source = nil, nil, nil
		}
	}
	declared.Features = slices.DeleteFunc(slices.Clone(declared.Features), func(f string) bool {
		namespace, _, _ := strings.Cut(f, "#")
		return d.Replaced(f) || d.Replaced(namespace)
	})
	return declared
}

// Answers reports whether the sender of a request about an account may see what there is, and whether a feature knows the node.
func (d *Disco) Answers(ctx context.Context, q *router.IQ) (visible, known bool) {
	if !d.maySee(ctx, q) {
		return false, false
	}
	query := disco.Query{To: q.Account.JID(), From: q.Stanza.From, Node: q.Payload.Attr("node")}
	var err error
	if q.Payload.Space == disco.NSInfo {
		_, err = d.complete().account.Info(ctx, query)
	} else {
		_, err = d.complete().account.Items(ctx, query)
	}
	return true, err == nil
}

// maySee reports whether the sender of a request is the account or may see its presence (XEP-0030 §8).
func (d *Disco) maySee(ctx context.Context, q *router.IQ) bool {
	return q.Own() || d.Shares != nil && d.Shares(ctx, q.Account, q.Stanza.From.Bare())
}

// streamFeatures returns the host's capabilities (XEP-0115 §6.3, XEP-0390 §5.2).
func (d *Disco) streamFeatures(ctx context.Context) []*stanza.Element {
	info, err := d.infoOfHost(ctx)
	if err != nil {
		return nil
	}
	return info.Announcement(d.Node)
}

func (d *Disco) infoOfHost(ctx context.Context) (disco.Info, error) {
	return d.complete().host.Info(ctx, disco.Query{To: d.host.Domain()})
}

func (d *Disco) ofHost(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if node := q.Payload.Attr("node"); q.Payload.Space == disco.NSInfo && node != "" {
		if info, err := d.infoOfHost(ctx); err == nil && info.IsAnnounced(d.Node, node) {
			return info.Element(node), nil
		}
	}
	return d.complete().host.Answer(ctx, q.Stanza)
}

// withoutSubscription answers for an address without an account, and for an account to those who may not see its presence
// (XEP-0030 §8).
func withoutSubscription(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Payload.Is(disco.NSItems, "query") && q.Stanza.Type == stanza.TypeGet {
		return stanza.NewElement(disco.NSItems, "query").With("node", q.Payload.Attr("node")), nil
	}
	return nil, stanza.ServiceUnavailable("")
}

// ofAccount answers senders without a subscription as if the account did not exist (XEP-0030 §8).
func (d *Disco) ofAccount(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if !d.maySee(ctx, q) {
		return withoutSubscription(ctx, q)
	}
	return d.complete().account.Answer(ctx, q.Stanza.WithTo(q.Account.JID()))
}

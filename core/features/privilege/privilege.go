package privilege

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS        = "urn:xmpp:privilege:2"
	nsOld     = "urn:xmpp:privilege:1" // version 0.3
	nsForward = "urn:xmpp:forward:0"   // XEP-0297
)

// Limits are the limits of all domains; 0: no limit.
type Limits struct {
	Requests  int // of one domain that wait for an answer
	Presences int // addresses whose presence is remembered
}

// ConfiguredLimits returns the limits of the configuration.
func ConfiguredLimits(l config.Limits) Limits {
	return Limits{l.ComponentRequests, l.ComponentPresences}
}

// Privileges holds the permissions of all domains on one host.
type Privileges struct {
	host      *router.Host
	subs      router.Subscriptions
	granted   atomic.Pointer[grants]
	limits    atomic.Pointer[Limits]
	presences *presences

	mu      sync.Mutex // held while granted is replaced
	pending map[jid.JID]int

	crowded atomic.Uint64 // requests that were refused because too many of the domain waited
}

// New returns the feature; domains may be nil.
func New(h *router.Host, domains map[jid.JID]Permissions, l Limits) *Privileges {
	p := &Privileges{host: h, presences: newPresences(), pending: map[jid.JID]int{}}
	p.granted.Store(newGrants(maps.Clone(domains)))
	p.SetLimits(l)
	return p
}

// Subscriptions sets what says who is whose contact. Call it before the host is attached.
func (p *Privileges) Subscriptions(s router.Subscriptions) { p.subs = s }

// SetLimits replaces the limits.
func (p *Privileges) SetLimits(l Limits) { p.limits.Store(&l) }

// Feature declares the feature.
func (p *Privileges) Feature() router.Feature {
	refuse := map[string]router.IQHandler{NS: refused}
	p.host.AnswerNobody("privilege", refuse)
	return router.Feature{
		Name: "privilege", HostMessage: p.message, HostIQ: refuse, AccountIQ: map[string]router.IQHandler{NS: p.request},
		Stages: []router.Stage{
			{Name: "privileged requests", Position: router.Refuse, Inbound: toSession, Skip: router.Only(stanza.IQ)},
			{Name: "presence of contacts", Position: router.Copy, Inbound: p.contactPresence, Skip: router.Only(stanza.Presence)},
		},
		Counters: []router.Counter{
			{Setting: "limits.component_requests", Value: &p.crowded},
			{Setting: "limits.component_presences", Value: &p.presences.crowded},
		},
		Specs: []spec.Spec{{
			Number: "0356", Title: "Privileged Entity", Version: "0.4.1", State: spec.Complete,
			Note: "Server and gateways. The namespace of version 0.3 is understood too.",
		}},
	}
}

// Grant sets the permissions of a domain; no permissions take away those that it has.
func (p *Privileges) Grant(domain jid.JID, may Permissions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.granted.Store(p.granted.Load().with(domain, may))
}

// of returns the permissions of a sender. Only the domain itself has any, and only while it is attached to
// this server: a remote server of the same name has none.
func (p *Privileges) of(from jid.JID) Permissions {
	if !from.IsHost() || !p.host.Router().Serves(from) {
		return Permissions{}
	}
	return p.granted.Load().domains[from]
}

// RosterAccess implements roster.Privileges.
func (p *Privileges) RosterAccess(from jid.JID) (get, set bool) {
	may := p.of(from)
	return may.Roster.Get, may.Roster.Set
}

// Pushes implements roster.Privileges.
func (p *Privileges) Pushes() []jid.JID { return p.granted.Load().pushed }

// Attached tells a domain its permissions (XEP-0356 §4.2, §5.2, §6.2, §7.2), and then the presence that it may see (§8). It is
// called whenever a component of the domain has attached; send sends to that one.
func (p *Privileges) Attached(domain jid.JID, send func(*stanza.Stanza)) {
	may := p.of(domain)
	for _, space := range []string{NS, nsOld} {
		if x := may.element(space); x != nil {
			send(stanza.NewMessage(domain, p.host.Domain(), "", x))
		}
	}
	p.sendPresences(domain, may.Presence, send)
}

// message sends the message that a privileged domain has wrapped in a message to the host (XEP-0356
// §5.3). XEP-0356 §5 says only "as if it was originating from him": it is treated as sent by the account, so that it is
// archived and copied there.
func (p *Privileges) message(ctx context.Context, pass *router.Pass) error {
	x := pass.Stanza.Child(NS, "privilege")
	if x == nil {
		x = pass.Stanza.Child(nsOld, "privilege")
	}
	if x == nil {
		return nil
	}
	if pass.Stanza.Type == stanza.TypeError {
		return router.ErrStop
	}
	if !p.of(pass.Stanza.From).Message {
		return stanza.Forbidden("")
	}
	inner, err := unwrap(x)
	if err != nil {
		return err
	}
	// XEP-0356 §5.1 allows the server itself and any "bare jid with the same domain as the
	// server", which may be of no account: it asks for no more, and for this error otherwise.
	if !inner.From.IsBare() || inner.From.Domain() != p.host.Domain().Domain() {
		return stanza.Forbidden("the sender is not an address of this host without a resource")
	}
	inner.Entry = pass.Stanza.Entry // a gateway that sends it again after a crash gives the same one
	if err := p.send(ctx, pass, inner); err != nil {
		return err
	}
	return router.ErrStop
}

func (p *Privileges) send(ctx context.Context, pass *router.Pass, inner *stanza.Stanza) error {
	var at router.Location
	if inner.From.Local() != "" {
		var err error
		if at, err = p.host.Acquire(ctx, inner.From); err != nil {
			return err
		}
	}
	if at.Account == nil {
		pass.Route(inner)
		return nil
	}
	if sent, err := sentElsewhere(inner); err != nil {
		return err
	} else if sent != nil {
		return pass.NoteSent(at.Account, sent)
	}
	return pass.SendAs(at.Account, inner)
}

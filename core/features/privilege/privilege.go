package privilege

import (
	"context"
	"maps"
	"sync"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS        = "urn:xmpp:privilege:2"
	nsForward = "urn:xmpp:forward:0" // XEP-0297
)

// Permissions are the privileges of one domain.
type Permissions struct {
	Roster  bool // read and change rosters; roster pushes are not sent to the domain
	Message bool // send messages from the host or from an account
}

// Privileges holds the permissions of all domains on one host.
type Privileges struct {
	host    *router.Host
	mu      sync.RWMutex
	domains map[jid.JID]Permissions
}

// New returns the feature; domains may be nil.
func New(h *router.Host, domains map[jid.JID]Permissions) *Privileges {
	p := &Privileges{host: h, domains: map[jid.JID]Permissions{}}
	maps.Copy(p.domains, domains)
	return p
}

// Feature declares the feature.
func (p *Privileges) Feature() router.Feature {
	return router.Feature{
		Name: "privilege", HostMessage: p.message,
		Specs: []spec.Spec{{
			Number: "0356", Title: "Privileged Entity", Version: "0.4.1", State: spec.Partial,
			Note: "Server and gateways. Rosters and messages; gateways understand version 0.3 too.",
		}},
	}
}

// Grant sets the permissions of a domain; no permissions take away those that it has.
func (p *Privileges) Grant(domain jid.JID, may Permissions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if may == (Permissions{}) {
		delete(p.domains, domain)
		return
	}
	p.domains[domain] = may
}

// of returns the permissions of a sender. Only the domain itself has any, and only while it is attached to
// this server: a remote server of the same name has none.
func (p *Privileges) of(from jid.JID) Permissions {
	if !from.IsHost() || !p.host.Router().Serves(from) {
		return Permissions{}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.domains[from]
}

// RosterAccess implements roster.Privileges.
func (p *Privileges) RosterAccess(from jid.JID) (get, set, privileged bool) {
	may := p.of(from)
	return may.Roster, may.Roster, may != (Permissions{})
}

// Advertise sends a domain its permissions (XEP-0356 §4.2, §5.2). It is called whenever the domain's
// component has attached.
func (p *Privileges) Advertise(domain jid.JID) {
	may := p.of(domain)
	if may == (Permissions{}) {
		return
	}
	x := stanza.NewElement(NS, "privilege")
	if may.Roster {
		x.Add(stanza.NewElement(NS, "perm").With("access", "roster").With("type", "both").With("push", "false"))
	}
	if may.Message {
		x.Add(stanza.NewElement(NS, "perm").With("access", "message").With("type", "outgoing"))
	}
	p.host.Router().Route(stanza.NewMessage(domain, p.host.Domain(), "", x))
}

// message sends the message that a privileged domain has wrapped in a message to the host (XEP-0356
// §5.3). XEP-0356 §5 says only "as if it was originating from him": it is treated as sent by the account, so that it is
// archived and copied there.
func (p *Privileges) message(ctx context.Context, pass *router.Pass) error {
	x := pass.Stanza.Child(NS, "privilege")
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

package privilege

import (
	"context"
	"maps"
	"strings"

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

// Permissions are what one domain may do.
type Permissions struct {
	Roster  bool // get and set; without pushes
	Message bool // send messages in the name of the host or of an account
}

// Privileges are those of one host. They are not changed once stanzas are routed.
type Privileges struct {
	host    *router.Host
	domains map[jid.JID]Permissions
	maySend func(ctx context.Context, account *router.Account, to jid.JID) error
}

// New makes the feature for the domains that have privileges; nil is none.
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

// Restrict sets the check of receivers that an account may send to (features/blocking); before the host
// is attached.
func (p *Privileges) Restrict(maySend func(ctx context.Context, account *router.Account, to jid.JID) error) {
	p.maySend = maySend
}

// Grant gives a domain privileges; call it before stanzas are routed.
func (p *Privileges) Grant(domain jid.JID, may Permissions) { p.domains[domain] = may }

// of is what an entity may do. Only the domain itself has privileges, and only while it
// is one of ours: another server that claims its name has none.
func (p *Privileges) of(from jid.JID) Permissions {
	if !from.IsHost() || !p.host.Router().Serves(from) {
		return Permissions{}
	}
	return p.domains[from]
}

// RosterAccess implements roster.Privileges.
func (p *Privileges) RosterAccess(from jid.JID) (get, set, privileged bool) {
	may := p.of(from)
	return may.Roster, may.Roster, may != (Permissions{})
}

// Advertise sends a domain what it may do (XEP-0356 §4.2, §5.2); it is called whenever the
// domain's component has attached. A domain without privileges gets nothing.
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

// message takes what a privileged domain sends to the host for others (XEP-0356 §5.3).
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
	if err := p.allowed(ctx, inner); err != nil {
		return err
	}
	pass.Route(inner)
	return router.ErrStop
}

// allowed reports whether the account itself could send a message (XEP-0356 §9).
func (p *Privileges) allowed(ctx context.Context, st *stanza.Stanza) error {
	if p.maySend == nil || st.From.Local() == "" {
		return nil
	}
	at, err := p.host.Acquire(ctx, st.From)
	if err != nil || at.Account == nil {
		return err
	}
	return p.maySend(ctx, at.Account, st.To)
}

// unwrap is the message inside a privilege element.
func unwrap(x *stanza.Element) (*stanza.Stanza, error) {
	m := x.Child(nsForward, "forwarded").Child(stanza.NSClient, "message")
	if m == nil {
		return nil, stanza.BadRequest("there is no forwarded message")
	}
	from, err := jid.Parse(strings.Clone(m.Attr("from"))) // addresses may be kept for long
	if err != nil {
		return nil, stanza.Forbidden("the message has no sender")
	}
	to, err := jid.Parse(strings.Clone(m.Attr("to")))
	if err != nil {
		return nil, stanza.JIDMalformed("the message has no receiver")
	}
	st := &stanza.Stanza{Kind: stanza.Message, To: to, From: from, ID: m.Attr("id"), Type: m.Attr("type"), Lang: m.Lang()}
	if st.ID == "" {
		st.ID = stanza.NewID()
	}
	var children []*stanza.Element
	for c := range m.Elements() {
		children = append(children, c)
	}
	st.Payload = stanza.Encode(children...)
	return st, nil
}

package privilege

import (
	"maps"
	"slices"
	"strconv"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/pubsub"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Access are the types of requests that are allowed.
type Access struct{ Get, Set bool }

// name returns the access as XEP-0356 §4.1 and §6.1 call it.
func (a Access) name() string {
	switch a {
	case Access{true, true}:
		return "both"
	case Access{Get: true}:
		return "get"
	case Access{Set: true}:
		return "set"
	}
	return "none"
}

// allows reports whether a request of a type is allowed.
func (a Access) allows(typ string) bool {
	return typ == stanza.TypeGet && a.Get || typ == stanza.TypeSet && a.Set
}

// Seen says whose presence a domain is told of (XEP-0356 §7).
type Seen uint8

// The values of Seen.
const (
	Nobody   Seen = iota
	Accounts      // the host's accounts
	Contacts      // these, and the contacts in their rosters
)

// Permissions are the privileges of one domain.
type Permissions struct {
	Roster   Access
	Pushes   bool // it is told of changes in rosters; only together with Roster.Get
	Message  bool // it sends messages from the host or from an account
	Presence Seen // Contacts only together with Roster.Get
	Requests map[string]Access
}

// ForGateways are the privileges of the gateways of this server: they put contacts into rosters, send what accounts have written
// with a network's own client, know who is online, and keep bookmarks of their rooms.
func ForGateways() Permissions {
	return Permissions{
		Roster: Access{Get: true, Set: true}, Message: true, Presence: Accounts,
		Requests: map[string]Access{pubsub.NS: {Get: true, Set: true}},
	}
}

// none reports whether nothing is permitted.
func (m Permissions) none() bool {
	return m.Roster == Access{} && !m.Message && m.Presence == Nobody && len(m.Requests) == 0
}

// element returns what the domain is told (XEP-0356 §4.2, §5.2, §6.2, §7.2), nil for nothing that the namespace has.
func (m Permissions) element(space string) *stanza.Element {
	x := stanza.NewElement(space, "privilege")
	perm := func(access, typ string) *stanza.Element {
		p := stanza.NewElement(space, "perm").With("access", access).With("type", typ)
		x.Add(p)
		return p
	}
	if m.Roster != (Access{}) {
		p := perm("roster", m.Roster.name())
		if space == NS {
			p.With("push", strconv.FormatBool(m.Pushes && m.Roster.Get))
		}
	}
	if m.Message {
		perm("message", "outgoing")
	}
	if len(m.Requests) > 0 && space == NS {
		p := perm("iq", "")
		for _, name := range slices.Sorted(maps.Keys(m.Requests)) {
			p.Add(stanza.NewElement(space, "namespace").With("ns", name).With("type", m.Requests[name].name()))
		}
	}
	switch m.Presence {
	case Accounts:
		perm("presence", "managed_entity")
	case Contacts:
		perm("presence", "roster")
	}
	if len(x.Nodes) == 0 {
		return nil
	}
	return x
}

// Configured returns the permissions that the configuration grants components.
func Configured(list []config.Component) map[jid.JID]Permissions {
	all := map[jid.JID]Permissions{}
	for _, k := range list {
		if domain, err := jid.Parse(k.Domain); err == nil { // others cannot attach
			all[domain] = permissions(k)
		}
	}
	return all
}

func permissions(k config.Component) Permissions {
	p := Permissions{Requests: map[string]Access{}}
	for _, name := range k.Privileges {
		switch name {
		case "roster":
			p.Roster = Access{Get: true, Set: true}
		case "roster-get":
			p.Roster.Get = true
		case "roster-set":
			p.Roster.Set = true
		case "message":
			p.Message = true
		case "presence":
			p.Presence = max(p.Presence, Accounts)
		case "presence-roster":
			p.Presence = Contacts
		}
	}
	p.Pushes = p.Roster.Get && !k.NoPushes // XEP-0356 §4.1
	for _, entry := range k.Requests {
		get, set, namespace := config.Request(entry)
		a := p.Requests[namespace]
		p.Requests[namespace] = Access{Get: a.Get || get, Set: a.Set || set}
	}
	return p
}

// grants are the permissions of all domains, and what is derived from them. They are immutable.
type grants struct {
	domains map[jid.JID]Permissions
	pushed  []jid.JID // are told of changes in rosters
	watch   [Contacts + 1][]jid.JID
}

// newGrants returns the grants of some domains.
func newGrants(domains map[jid.JID]Permissions) *grants {
	g := &grants{domains: domains}
	for domain, may := range domains {
		if may.Pushes && may.Roster.Get { // XEP-0356 §4.1
			g.pushed = append(g.pushed, domain)
		}
		if may.Presence == Contacts && !may.Roster.Get { // XEP-0356 §7.4
			may.Presence = Accounts
		}
		g.watch[may.Presence] = append(g.watch[may.Presence], domain)
	}
	return g
}

// with returns the grants after those of one domain were replaced.
func (g *grants) with(domain jid.JID, may Permissions) *grants {
	domains := maps.Clone(g.domains)
	if may.none() {
		delete(domains, domain)
	} else {
		domains[domain] = may
	}
	return newGrants(domains)
}

package puppets

import (
	"sync"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
)

const (
	maxServers    = 1000 // whose privileges are remembered
	maxNamespaces = 20   // of a privilege that are inside each other
)

// Privileges are the rights that servers have granted (XEP-0356).
type Privileges struct {
	mu       sync.Mutex
	byServer map[string]Privilege // by domain
}

// Privilege is what one server has granted.
type Privilege struct {
	Roster   bool   // rosters may be changed
	Messages bool   // messages may be sent in the name of users
	Presence bool   // the presence of users is sent without subscriptions
	Nodes    bool   // the nodes of users (XEP-0163) may be read and changed
	Space    string // the namespace in which the server says it
}

// Of is what a server has granted.
func (p *Privileges) Of(domain string) Privilege {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.byServer[domain]
}

// set keeps a privilege and returns the one before. What a server says once more in the old
// namespace, for those who know no other, is not kept.
func (p *Privileges) set(domain string, granted Privilege) (before Privilege, kept bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	before = p.byServer[domain]
	if before.Space == convert.NSPrivilege && granted.Space == convert.NSPrivilege1 {
		return before, false
	}
	if p.byServer == nil {
		p.byServer = map[string]Privilege{}
	}
	if len(p.byServer) < maxServers {
		p.byServer[domain] = granted
	}
	return before, true
}

// Servers is how many servers are remembered.
func (p *Privileges) Servers() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byServer)
}

// parsePrivilege reads what a server lets us do (XEP-0356 §4). Only a server itself can say so.
func parsePrivilege(st *stanza.Stanza) (Privilege, bool) {
	space := convert.NSPrivilege
	x := st.Child(space, "privilege")
	if x == nil {
		space = convert.NSPrivilege1
		x = st.Child(space, "privilege")
	}
	if x == nil || !st.From.IsHost() || st.Type == stanza.TypeError {
		return Privilege{}, false
	}
	p := Privilege{Space: space}
	for perm := range x.Named(space, "perm") {
		typ := perm.Attr("type")
		switch perm.Attr("access") {
		case "roster":
			p.Roster = typ == "set" || typ == "both"
		case "message":
			p.Messages = typ == "outgoing"
		case "presence":
			p.Presence = typ == "managed_entity" || typ == "roster" // XEP-0356 §7.2
		case "iq":
			p.Nodes = space == convert.NSPrivilege && hasNodes(perm, 0)
		}
	}
	return p, true
}

// hasNodes reports whether requests about nodes may be sent in the name of users (XEP-0356 §6.2). Prosody's mod_privilege of Debian 12
// writes each namespace inside the one before it.
func hasNodes(perm *stanza.Element, depth int) bool {
	for x := range perm.Named(convert.NSPrivilege, "namespace") {
		if x.Attr("ns") == convert.NSPubsub && x.Attr("type") == "both" || depth < maxNamespaces && hasNodes(x, depth+1) {
			return true
		}
	}
	return false
}

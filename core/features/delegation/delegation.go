package delegation

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/config"
	"github.com/dragoman-im/dragoman/core/command"
	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	NS        = "urn:xmpp:delegation:2"
	nsOld     = "urn:xmpp:delegation:1" // before version 0.5
	nsForward = "urn:xmpp:forward:0"    // XEP-0297

	bareInfo  = ":bare:disco#info:*"  // XEP-0355 §7.2.4, behind the namespace
	bareItems = ":bare:disco#items:*" // XEP-0355 §7.2.5
)

// Grant is a namespace that a component manages.
type Grant struct {
	Namespace  string
	Attributes []string // that the element of a request must have
	By         jid.JID  // the component
}

// Configured returns what the configuration delegates to components.
func Configured(components []config.Component) []Grant {
	var list []Grant
	for _, k := range components {
		by, err := jid.Parse(k.Domain)
		if err != nil {
			continue // it cannot attach
		}
		for _, entry := range k.Delegated {
			namespace, attributes := config.Delegation(entry)
			list = append(list, Grant{namespace, attributes, by})
		}
	}
	return list
}

// Discovery is what the host itself answers in service discovery.
type Discovery interface {
	// Answers reports whether the sender of a disco request to an account may see what there is, and whether the host knows the node.
	Answers(ctx context.Context, q *router.IQ) (visible, known bool)
}

// Delegation delegates namespaces of one host.
type Delegation struct {
	host      *router.Host
	discovery Discovery
	grants    map[string]Grant // by namespace; immutable
	consents  *consents        // nil: accounts delegate nothing themselves
	limit     atomic.Int64     // of requests of one sender that wait for an answer; 0: none

	mu         sync.Mutex
	components map[jid.JID]*component
	waiting    map[jid.JID]int // requests that wait for an answer, by sender

	crowded atomic.Uint64 // requests that were refused because too many of the sender waited
	unasked atomic.Uint64 // questions that accounts were not asked because too many waited
}

// component is what is known about a managing component.
type component struct {
	space string                // its version of the protocol
	infos map[nested]disco.Info // what it says about its namespaces
}

// nested is a namespace in the information about the host or about accounts.
type nested struct {
	namespace string
	account   bool
}

// New returns the feature; grants may be empty.
func New(h *router.Host, grants []Grant, limit int) *Delegation {
	d := &Delegation{host: h, grants: map[string]Grant{}, components: map[jid.JID]*component{}, waiting: map[jid.JID]int{}}
	for _, g := range grants {
		d.grants[inNS(g.Namespace)] = g
	}
	d.SetLimit(limit)
	if len(grants) > 0 {
		h.Delegate(d.delegate)
	}
	return d
}

// inNS returns a namespace of which this protocol is a part as it is named in NS.
func inNS(namespace string) string {
	if rest, ok := strings.CutPrefix(namespace, nsOld+":"); ok {
		return NS + ":" + rest
	}
	return namespace
}

// Discover sets what the host answers. Call it before the host is attached.
func (d *Delegation) Discover(s Discovery) { d.discovery = s }

// SetLimit replaces the limit of requests of one sender that wait; 0: no limit.
func (d *Delegation) SetLimit(n int) { d.limit.Store(int64(n)) }

// Feature declares the feature.
func (d *Delegation) Feature() router.Feature {
	f := router.Feature{
		Name: "delegation",
		Counters: []router.Counter{
			{Setting: "limits.component_requests", Value: &d.crowded}, {Setting: "limits.delegation_questions", Value: &d.unasked},
		},
		Specs: []spec.Spec{{
			Number: "0355", Title: "Namespace Delegation", Version: "0.5", State: spec.Complete,
			Note: "Server. Admin mode, and client mode for namespaces that are configured, until the session ends; the namespace of version 0.4 is understood too.",
		}},
	}
	if len(d.grants) > 0 {
		f.HostDisco = router.Disco{Info: disco.Info{Features: []string{NS}}, Source: source{d, false}} // XEP-0355 §7.1
		f.AccountDisco = router.Disco{Source: source{d, true}}
	}
	if c := d.consents; c != nil {
		f.HostIQ = map[string]router.IQHandler{NS: c.request}
		f.HostMessage = c.answered
		f.Slots = []router.AccountSlot{&c.slot}
		f.HostDisco.Features = []string{NS}
		f.HostDisco.Commands = []command.Command{c.configure()}
	}
	return f
}

// Replaces reports whether a component manages a namespace, so that what the server says about it is left out (XEP-0355 §7.2).
func (d *Delegation) Replaces(namespace string) bool {
	_, ok := d.grants[namespace]
	return ok
}

// Attached tells a component what it manages (XEP-0355 §4.2) and asks what it says about that (§7.2). It is called whenever the
// component has attached; send sends to that connection.
func (d *Delegation) Attached(by jid.JID, send func(*stanza.Stanza)) {
	list := d.of(by)
	if len(list) == 0 {
		return
	}
	for _, space := range []string{NS, nsOld} {
		x := stanza.NewElement(space, "delegation")
		for _, g := range list {
			e := stanza.NewElement(space, "delegated").With("namespace", named(g.Namespace, space))
			for _, a := range g.Attributes {
				e.Add(stanza.NewElement(space, "attribute").With("name", a))
			}
			x.Add(e)
		}
		send(stanza.NewMessage(by, d.host.Domain(), "", x))
	}
	d.ask(by, list)
}

// named returns a namespace as an entity that speaks one version of the protocol names it.
func named(namespace, space string) string {
	if rest, ok := strings.CutPrefix(namespace, NS+":"); ok {
		return space + ":" + rest
	}
	return namespace
}

// of returns what a component manages, by namespace.
func (d *Delegation) of(by jid.JID) []Grant {
	var list []Grant
	for namespace, g := range d.grants {
		if g.By == by {
			g.Namespace = namespace
			list = append(list, g)
		}
	}
	slices.SortFunc(list, func(a, b Grant) int { return strings.Compare(a.Namespace, b.Namespace) })
	return list
}

// component returns what is known about a component. The caller holds the lock.
func (d *Delegation) component(by jid.JID) *component {
	c := d.components[by]
	if c == nil {
		c = &component{space: NS, infos: map[nested]disco.Info{}}
		d.components[by] = c
	}
	return c
}

package delegation

import (
	"context"
	"slices"
	"strings"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Limits of what a component says about one namespace; more is left out as a whole.
const (
	maxFeatures   = 500
	maxIdentities = 20
	maxForms      = 10
	maxInfoBytes  = 64 << 10
)

// ask asks a component which version of the protocol it speaks, and what it says about the namespaces that it manages.
func (d *Delegation) ask(by jid.JID, list []Grant) {
	d.query(by, "", d.host.Router().Route, func(info disco.Info, ok bool, route func(*stanza.Stanza)) {
		space := NS
		if ok && info.Has(nsOld) && !info.Has(NS) {
			space = nsOld
		}
		d.mu.Lock()
		d.component(by).space = space
		d.mu.Unlock()
		for _, g := range list {
			if !strings.HasPrefix(g.Namespace, NS+":") {
				d.askAbout(by, space, nested{g.Namespace, false}, route)
				d.askAbout(by, space, nested{g.Namespace, true}, route)
			}
		}
	})
}

// askAbout asks a component what it says about a namespace, and keeps the answer (XEP-0355 §7.2, §9 rule 2).
func (d *Delegation) askAbout(by jid.JID, space string, about nested, route func(*stanza.Stanza)) {
	separator := "::" // XEP-0355 §7.2.1
	if about.account {
		separator = ":bare:" // §7.2.2
	}
	d.query(by, space+separator+about.namespace, route, func(info disco.Info, ok bool, _ func(*stanza.Stanza)) {
		if !ok {
			return // what it said before stays
		}
		// Every entity has these (XEP-0030 §3.1).
		info.Features = slices.DeleteFunc(info.Features, func(f string) bool { return f == disco.NSInfo || f == disco.NSItems })
		d.mu.Lock()
		defer d.mu.Unlock()
		d.component(by).infos[about] = info
	})
}

// query asks for information about a node of a component. ok is false if there is none that can be used.
func (d *Delegation) query(by jid.JID, node string, route func(*stanza.Stanza), then func(info disco.Info, ok bool, route func(*stanza.Stanza))) {
	query := stanza.NewElement(disco.NSInfo, "query").With("node", node)
	asked := d.host.Ask(d.host.Domain(), by, query, route, func(answer *stanza.Stanza, route func(*stanza.Stanza)) {
		var info disco.Info
		ok := false
		if answer != nil && answer.Type == stanza.TypeResult && len(answer.Payload) <= maxInfoBytes {
			if x := answer.Child(disco.NSInfo, "query"); x != nil {
				info, ok = disco.ReadInfo(x)
			}
		}
		ok = ok && len(info.Features) <= maxFeatures && len(info.Identities) <= maxIdentities && len(info.Forms) <= maxForms
		then(info, ok, route)
	})
	if !asked {
		then(disco.Info{}, false, route)
	}
}

// source adds what components say to the information about the host or about accounts.
type source struct {
	*Delegation
	account bool
}

// DiscoInfo implements disco.Source.
func (s source) DiscoInfo(_ context.Context, q disco.Query) (disco.Info, error) {
	if q.Node != "" {
		return disco.Info{}, stanza.ItemNotFound("")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all disco.Info
	for namespace, g := range s.grants {
		if c := s.components[g.By]; c != nil {
			info := c.infos[nested{namespace, s.account}]
			all.Identities = append(all.Identities, info.Identities...)
			all.Features = append(all.Features, info.Features...)
			all.Forms = append(all.Forms, info.Forms...)
		}
	}
	return all, nil
}

// DiscoItems implements disco.Source.
func (s source) DiscoItems(_ context.Context, q disco.Query) ([]disco.Item, error) {
	if q.Node != "" {
		return nil, stanza.ItemNotFound("")
	}
	return nil, nil
}

package archive

import (
	"context"
	"slices"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Default says whether messages with contacts on neither list are archived (XEP-0441 §3).
type Default string

// The defaults.
const (
	Always Default = "always"
	Never  Default = "never"
	Roster Default = "roster" // only contacts in the roster
)

// Prefs says which messages of an account are archived.
type Prefs struct {
	Default       Default
	Always, Never []jid.JID
}

// Archives reports whether messages with a contact are archived. The full JID counts
// before the bare one.
func (p Prefs) Archives(contact jid.JID, inRoster bool) bool {
	for _, j := range []jid.JID{contact, contact.Bare()} {
		if slices.Contains(p.Never, j) {
			return false
		}
		if slices.Contains(p.Always, j) {
			return true
		}
	}
	return p.Default == Always || p.Default == "" || p.Default == Roster && inRoster
}

func (e *Engine) prefs(ctx context.Context, r Request, x *stanza.Element) (*stanza.Element, error) {
	store, ok := e.opts.Store.(PrefsStore)
	if !ok || r.Room {
		return nil, stanza.FeatureNotImplemented("")
	}
	if r.IQ.Type == stanza.TypeGet {
		p, err := store.Prefs(ctx, r.Archive)
		if err != nil {
			return nil, err
		}
		return p.Element(), nil
	}
	p, err := ParsePrefs(x)
	if err != nil {
		return nil, err
	}
	if err := store.SetPrefs(ctx, r.Archive, p); err != nil {
		return nil, err
	}
	return p.Element(), nil // XEP-0441 §3.2: the answer is what is set now
}

// ParsePrefs reads the element prefs (XEP-0441 §3).
func ParsePrefs(x *stanza.Element) (Prefs, error) {
	p := Prefs{Default: Default(x.Attr("default"))}
	switch p.Default {
	case Always, Never, Roster:
	default:
		return p, stanza.BadRequest("There is no such default.")
	}
	var err error
	if p.Always, err = contacts(x.Child(NS, "always")); err != nil {
		return p, err
	}
	p.Never, err = contacts(x.Child(NS, "never"))
	return p, err
}

func contacts(x *stanza.Element) ([]jid.JID, error) {
	var list []jid.JID
	seen := map[jid.JID]bool{}
	for e := range x.Named(NS, "jid") {
		j, err := jid.Parse(e.Text())
		if err != nil {
			return nil, stanza.JIDMalformed("An address in the list is malformed.")
		}
		if !seen[j] {
			seen[j] = true
			list = append(list, j)
		}
		if len(list) > maxContacts {
			return nil, stanza.NotAcceptable("The list is too long.")
		}
	}
	return list, nil
}

// Element is the element prefs (XEP-0441 §3).
func (p Prefs) Element() *stanza.Element {
	d := p.Default
	if d == "" {
		d = Always
	}
	list := func(name string, jids []jid.JID) *stanza.Element {
		x := stanza.NewElement(NS, name)
		for _, j := range jids {
			x.Add(stanza.TextElement(NS, "jid", j.String()))
		}
		return x
	}
	return stanza.NewElement(NS, "prefs").With("default", string(d)).Add(list("always", p.Always), list("never", p.Never))
}

package router

import (
	"context"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// Inline is what a feature does while a client that logs in binds a session (XEP-0386).
type Inline struct {
	// Namespace is announced, and Request handles an element of it in the client's request; "": there are none.
	Namespace string
	// Request returns the answer for <bound/>, or nil for none. It runs before the session gets anything.
	Request func(ctx context.Context, b *Bound, e *stanza.Element) *stanza.Element
	// Bound, which may be nil, is called for each session that is bound so, after the requests. Its result is added to <bound/>.
	Bound func(ctx context.Context, b *Bound) *stanza.Element
}

// Inlines returns the namespaces of the features that can be used while a session is bound.
func (h *Host) Inlines() []string {
	var out []string
	for i := range h.features {
		if f := &h.features[i]; f.BeforeLogin != nil && f.BeforeLogin.Inline.Namespace != "" {
			out = append(out, f.BeforeLogin.Inline.Namespace)
		}
	}
	return out
}

// Inline implements Port.
func (b *Bound) Inline(ctx context.Context, request *stanza.Element) []*stanza.Element {
	var out []*stanza.Element
	features := b.account.host.features
	for e := range request.Elements() {
		for i := range features {
			f := features[i].BeforeLogin
			if f == nil || f.Inline.Namespace == "" || f.Inline.Namespace != e.Space {
				continue
			}
			if result := f.Inline.Request(ctx, b, e); result != nil {
				out = append(out, result)
			}
		}
	}
	for i := range features {
		if f := features[i].BeforeLogin; f != nil && f.Inline.Bound != nil {
			if result := f.Inline.Bound(ctx, b); result != nil {
				out = append(out, result)
			}
		}
	}
	return out
}

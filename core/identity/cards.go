package identity

import (
	"context"
	"errors"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/sasl"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Card is the vCard of a person of a back end (XEP-0054).
type Card struct {
	Subject  string          // Person.Subject
	Element  *stanza.Element // nil: the back end says nothing about the person. It must not be changed
	Prevails bool            // over what the person has stored here
}

// Cards is a back end that knows about people what a vCard says.
type Cards interface {
	// Card returns sasl.ErrRefused for a name that the back end does not know.
	Card(ctx context.Context, username string) (Card, error)
}

// Card returns the vCard of an account that its back end has, as a reader may see it; nil if there is none. A back end that does not answer
// has none. prevails says that it takes the place of the account's own.
func (h *Host) Card(ctx context.Context, account, reader jid.JID) (card *stanza.Element, prevails bool, err error) {
	if !h.knows {
		return nil, false, nil
	}
	owner, err := h.accounts.Owner(ctx, account.Local())
	if errors.Is(err, sasl.ErrUnknownUser) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	b := h.backend(owner.Backend)
	if b == nil || b.Cards == nil {
		return nil, false, nil
	}
	if !b.PublicCards && (reader.Local() == "" || reader.Domain() != h.domain) {
		return nil, false, nil
	}
	c, err := b.Cards.Card(ctx, account.Local())
	switch {
	case errors.Is(err, sasl.ErrRefused):
		return nil, false, nil
	case err != nil:
		h.warn.Do(func() { h.log.Warn("vCards of a back end cannot be read", "backend", b.Name, "err", err) })
		return nil, false, nil
	case c.Subject != owner.Subject: // the name is somebody else's there
		return nil, false, nil
	}
	return c.Element, c.Prevails && c.Element != nil, nil
}

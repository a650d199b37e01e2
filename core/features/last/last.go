package last

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of XEP-0012.
const NS = "jabber:iq:last"

// Store returns when an account was last available; the zero time if it never was.
type Store interface {
	LastSeen(ctx context.Context, account jid.JID) (at time.Time, status string, err error)
}

// Last answers for one host.
type Last struct {
	store   Store
	shares  func(ctx context.Context, account *router.Account, other jid.JID) bool
	started time.Time
}

// New returns the feature; shares reports whether other may see the account's presence.
func New(h *router.Host, s Store, shares func(ctx context.Context, account *router.Account, other jid.JID) bool) *Last {
	h.AnswerNobody("last", map[string]router.IQHandler{NS: nobody})
	return &Last{s, shares, time.Now()}
}

// Feature declares the feature.
func (l *Last) Feature() router.Feature {
	iq := map[string]router.IQHandler{NS: l.iq}
	return router.Feature{
		Name: "last", HostIQ: iq, AccountIQ: iq,
		HostDisco: router.Disco{Info: disco.Info{Features: []string{NS}}},
		Specs:     []spec.Spec{{Number: "0012", Title: "Last Activity", Version: "2.0", State: spec.Complete, Note: "Server."}},
	}
}

func (l *Last) iq(ctx context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "query") {
		return nil, stanza.ServiceUnavailable("")
	}
	if q.Account == nil {
		return query(time.Since(l.started), ""), nil // XEP-0012 §6
	}
	if !q.Own() && !l.shares(ctx, q.Account, q.Stanza.From.Bare()) {
		return nil, stanza.Forbidden("") // XEP-0012 §4; as for an address without an account (RFC 6121 §11)
	}
	for _, s := range q.Account.Sessions() {
		if s.Presence() != nil {
			return query(0, ""), nil // XEP-0012 §4
		}
	}
	at, status, err := l.store.LastSeen(ctx, q.Account.JID())
	if err != nil {
		return nil, fmt.Errorf("read last activity of %s: %w", q.Account.JID(), err)
	}
	if at.IsZero() {
		return nil, stanza.ServiceUnavailable("")
	}
	return query(time.Since(at), status), nil
}

// nobody answers for an address without an account as for an account whose presence the sender may not see.
func nobody(_ context.Context, q *router.IQ) (*stanza.Element, error) {
	if q.Stanza.Type != stanza.TypeGet || !q.Payload.Is(NS, "query") {
		return nil, stanza.ServiceUnavailable("")
	}
	return nil, stanza.Forbidden("")
}

func query(d time.Duration, status string) *stanza.Element {
	seconds := strconv.FormatInt(max(0, int64(d/time.Second)), 10)
	return stanza.TextElement(NS, "query", status).With("seconds", seconds)
}

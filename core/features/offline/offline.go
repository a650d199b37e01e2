package offline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/disco"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/message"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/spec"
	"github.com/dragoman-im/dragoman/core/stanza"
)

const feature = "msgoffline" // XEP-0160 §5

// Message is one that is kept.
type Message struct {
	ID       string // given by the store; sorts by time
	Stanza   *stanza.Stanza
	Received time.Time
}

// Usage is how much an account has.
type Usage struct {
	Messages int
	Bytes    int64
}

// Store keeps the messages.
type Store interface {
	// AddOffline does not wait; done is called by the store's writer after the commit.
	AddOffline(account jid.JID, m Message, done func(error))
	// OfflineMessages lists the first messages that an account has, in order, with all that
	// AddOffline was called for before.
	OfflineMessages(ctx context.Context, account jid.JID, limit int) ([]Message, error)
	// DeleteOffline deletes exactly those.
	DeleteOffline(ctx context.Context, account jid.JID, ids []string) error
	// OfflineUsage is what is written of an account's messages, and what it may have.
	OfflineUsage(ctx context.Context, account jid.JID) (used, limit Usage, err error)
}

// Offline keeps the messages of one host's accounts.
type Offline struct {
	host     *router.Host
	store    Store
	log      *slog.Logger
	accounts *router.Slot[account]
	served   *router.Flag // the session has got what was kept before it became available
	decoys   decoys

	mu     sync.Mutex
	failed map[*router.Account]struct{} // for Retry

	tooMany, tooLarge atomic.Uint64 // messages that were refused
}

// New makes the feature; Arrived joins it to presence. log may be nil.
func New(h *router.Host, s Store, log *slog.Logger) *Offline {
	if log == nil {
		log = slog.Default()
	}
	return &Offline{
		host: h, store: s, log: log, served: &router.Flag{Name: "served"}, failed: map[*router.Account]struct{}{},
		accounts: &router.Slot[account]{Load: func(context.Context, *router.Account) (*account, error) { return &account{}, nil }},
	}
}

// Feature declares the feature.
func (o *Offline) Feature() router.Feature {
	return router.Feature{
		Name: "offline",
		Stages: []router.Stage{
			{Name: "delay", Position: router.Clean, Inbound: o.clean, Nobody: o.clean},
			{Name: "offline", Position: router.Hold, Inbound: o.hold, Undelivered: o.undelivered, Nobody: o.nobody},
		},
		HostDisco: router.Disco{Info: disco.Info{Features: []string{feature}}},
		Slots:     []router.AccountSlot{o.accounts},
		Flags:     []*router.Flag{o.served},
		Counters: []router.Counter{
			{Setting: "limits.offline_messages", Value: &o.tooMany}, {Setting: "limits.offline_bytes", Value: &o.tooLarge},
		},
		Specs: []spec.Spec{{Number: "0160", Title: "Best Practices for Handling Offline Messages", Version: "1.0.1", State: spec.Complete, Note: "Server."}},
	}
}

// fits reports whether one more message of that size has room beside used, and counts where
// it has none.
func (o *Offline) fits(used, limit Usage, size int64) bool {
	switch {
	case used.Messages+1 > limit.Messages:
		o.tooMany.Add(1)
	case used.Bytes+size > limit.Bytes:
		o.tooLarge.Add(1)
	default:
		return true
	}
	return false
}

func (o *Offline) undelivered(ctx context.Context, p *router.Pass) error {
	account, size := p.Account.JID(), sizeOf(p.Stanza)
	switch {
	case p.Stanza.From == account:
		return router.ErrStop // a copy or an archived message that a session never had (XEP-0280 §11)
	case !message.Offline(p.Stanza):
		return router.ErrStop // nobody misses a "typing" of yesterday (XEP-0160 §3)
	}
	ok, err := o.reserve(ctx, p.Account, size)
	if err != nil {
		return fmt.Errorf("keep message for %s: %w", account, err)
	}
	if !ok {
		return stanza.ServiceUnavailable("") // XEP-0160 §2
	}
	o.add(p, size)
	if taker(p.Account) == nil {
		return router.ErrStop
	}
	// A session has become available meanwhile.
	if err := o.collect(ctx, p.Account, false); err != nil {
		o.log.Error("offline messages not delivered", "account", account, "err", err)
	}
	return router.ErrStop // it is kept all the same
}

// add gives a message to the store.
func (o *Offline) add(p *router.Pass, size int64) {
	a, st, written := p.Account, p.Stanza, p.BeginWrite()
	o.store.AddOffline(a.JID(), Message{Stanza: st, Received: time.Now()}, func(err error) {
		if err != nil {
			o.release(a, 1, size)
			// The sender believes it kept unless this is reported.
			o.host.Router().Bounce(nil, st, o.host.LogError(err, "offline message not written"))
		}
		written(err)
	})
}

func sizeOf(st *stanza.Stanza) int64 { return int64(len(st.Payload) + len(st.Extra)) }

// taker is the session that gets what was kept: any that takes messages.
func taker(a *router.Account) *router.Bound {
	for _, s := range a.Sessions() {
		if takes(s) {
			return s
		}
	}
	return nil
}

func takes(s *router.Bound) bool {
	now := s.Presence()
	return now != nil && now.Priority >= 0
}

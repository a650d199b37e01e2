package offline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Namespaces of this feature.
const (
	feature = "msgoffline" // XEP-0160 §5
	nsDelay = "urn:xmpp:delay"
	nsHints = "urn:xmpp:hints"
)

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

// Counters count the messages that were refused, by what there was no room for. They may be
// read at any time.
type Counters struct{ Messages, Bytes atomic.Uint64 }

// fits tells whether one more message of that size has room beside used, and counts where
// it has none.
func (c *Counters) fits(used, limit Usage, size int64) bool {
	switch {
	case used.Messages+1 > limit.Messages:
		c.Messages.Add(1)
	case used.Bytes+size > limit.Bytes:
		c.Bytes.Add(1)
	default:
		return true
	}
	return false
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
	host  *router.Host
	store Store
	log   *slog.Logger

	turns sync.Mutex // held while it is decided whether a session is served; taken before mu

	mu         sync.Mutex
	limit      Usage
	usage      map[jid.JID]Usage // of accounts that have something, as far as it is known
	collecting map[jid.JID]bool  // true: once more when done
	failed     map[jid.JID]bool  // could not be read when a session came
	ghosts     ghosts

	Refused Counters
}

// New makes the message keeper of a host; Stage and Arrived join it to the rest. log may be nil.
func New(h *router.Host, s Store, log *slog.Logger) *Offline {
	if log == nil {
		log = slog.Default()
	}
	return &Offline{host: h, store: s, log: log, usage: map[jid.JID]Usage{}, collecting: map[jid.JID]bool{}, failed: map[jid.JID]bool{}}
}

// Features are what the host's disco#info says about this feature.
func (o *Offline) Features() []string { return []string{feature} }

// Stage keeps messages that nobody was there for.
func (o *Offline) Stage() router.Stage {
	return router.Stage{Name: "offline", Inbound: o.unstamp, Undelivered: o.undelivered}
}

func (o *Offline) undelivered(ctx context.Context, p *router.Pass) error {
	switch {
	case p.Stanza.From == p.Account:
		return router.ErrStop // a copy or an archived message that a session never had (XEP-0280 §11)
	case !worthKeeping(p.Stanza):
		return router.ErrStop // nobody misses a "typing" of yesterday (XEP-0160 §3)
	case p.Unknown:
		return o.haunt(ctx, p)
	}
	account, size := p.Account, sizeOf(p.Stanza)
	ok, err := o.reserve(ctx, account, size)
	if err != nil {
		return fmt.Errorf("keep message for %s: %w", account, err)
	}
	if !ok {
		return stanza.ServiceUnavailable("") // XEP-0160 §2
	}
	o.add(p, size)
	if o.anyone(account) { // arrived while this message was on its way here
		return o.collectThen(ctx, account)
	}
	return router.ErrStop
}

// add gives a message to the store.
func (o *Offline) add(p *router.Pass, size int64) {
	account, st, kept := p.Account, p.Stanza, p.Promise()
	o.store.AddOffline(account, Message{Stanza: st, Received: time.Now()}, func(err error) {
		if err != nil {
			o.release(account, 1, size)
			// The sender believes it kept unless he is told.
			o.host.Router().Bounce(nil, st, o.host.Fault(err, "offline message not written"))
		}
		kept(err)
	})
}

func (o *Offline) collectThen(ctx context.Context, account jid.JID) error {
	if err := o.Collect(ctx, account); err != nil {
		o.log.Error("offline messages not delivered", "account", account, "err", err)
	}
	return router.ErrStop // it is kept all the same
}

func sizeOf(st *stanza.Stanza) int64 { return int64(len(st.Payload) + len(st.Extra)) }

// worthKeeping is XEP-0160 §3 and XEP-0334 §4. Types other than normal and chat do not
// come here.
func worthKeeping(st *stanza.Stanza) bool {
	if st.Child(nsHints, "no-store") != nil {
		return false
	}
	if st.Child(nsHints, "store") != nil {
		return true
	}
	for e := range st.Tree().Elements() {
		switch e.Space {
		case "http://jabber.org/protocol/chatstates", nsHints: // XEP-0085
		case stanza.NSClient:
			if e.Local != "thread" { // goes with chat states (XEP-0085 §5.7)
				return true
			}
		default:
			return true
		}
	}
	return false
}

// reserve counts a message of that size where there is room for it.
func (o *Offline) reserve(ctx context.Context, account jid.JID, size int64) (bool, error) {
	o.mu.Lock()
	_, known := o.usage[account]
	o.mu.Unlock()
	var stored, limit Usage
	if !known {
		var err error
		if stored, limit, err = o.store.OfflineUsage(ctx, account); err != nil {
			return false, err
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	u, counted := o.usage[account]
	if !counted {
		u = stored
	}
	if !known {
		o.limit = limit
	}
	if !o.Refused.fits(u, o.limit, size) {
		return false, nil
	}
	o.usage[account] = Usage{u.Messages + 1, u.Bytes + size}
	return true, nil
}

func (o *Offline) release(account jid.JID, n int, size int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	u, known := o.usage[account]
	if !known {
		return
	}
	u.Messages, u.Bytes = u.Messages-n, u.Bytes-size
	if u.Messages <= 0 {
		delete(o.usage, account)
		return
	}
	o.usage[account] = u
}

// taker is the session that gets what was kept: any that takes messages.
func (o *Offline) taker(account jid.JID) *router.Bound {
	for _, s := range o.host.Sessions(account) {
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

func (o *Offline) anyone(account jid.JID) bool { return o.taker(account) != nil }

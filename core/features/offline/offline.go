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

// Message is a stored message.
type Message struct {
	ID       string         // that of Stanza.Entry
	Stanza   *stanza.Stanza // nil if it cannot be read
	Received time.Time
	Position int64 // assigned by the store: the order

	// Of a message that cannot be read, what it counts as.
	Sender jid.JID
	Size   int64
}

// Usage is a number of messages and their size.
type Usage struct {
	Messages int
	Bytes    int64
}

// Store keeps the messages.
type Store interface {
	// AddOffline does not wait; the store's writer calls done after the commit. A message whose id is stored already
	// is not stored again.
	AddOffline(account jid.JID, m Message, done func(error))
	// OfflineMessages returns the first messages of an account behind a position, in order. It includes all earlier
	// calls of AddOffline.
	OfflineMessages(ctx context.Context, account jid.JID, after int64, limit int) ([]Message, error)
	// DeleteOffline deletes exactly these messages. It does not wait and does not block; done is called after the commit.
	DeleteOffline(account jid.JID, ids []string, done func(error))
	// OfflineUsage returns the usage of an account by sender, without messages that are not yet committed, and its
	// limit.
	OfflineUsage(ctx context.Context, account jid.JID) (senders map[jid.JID]Usage, limit Usage, err error)
}

// Offline stores the messages of one host's accounts.
type Offline struct {
	host     *router.Host
	store    Store
	log      *slog.Logger
	has      func(to *router.Bound, id string) bool
	archived func(ctx context.Context, account jid.JID, ids []string) ([]string, error)
	blocks   func(ctx context.Context, a *router.Account, sender jid.JID) (bool, error)
	accounts *router.Slot[account]
	served   *router.Flag // the session has received the stored messages

	mu        sync.Mutex
	failed    map[*router.Account]struct{} // for Retry
	undeleted []deletion                   // for Retry

	tooMany, tooLarge atomic.Uint64 // refused messages, by limit
}

// New returns the feature. Register Arrived with presence.OnArrival. log may be nil.
func New(h *router.Host, s Store, log *slog.Logger) *Offline {
	if log == nil {
		log = slog.Default()
	}
	return &Offline{
		host: h, store: s, log: log, has: func(*router.Bound, string) bool { return false }, served: &router.Flag{Name: "served"}, failed: map[*router.Account]struct{}{},
		accounts: &router.Slot[account]{Load: func(context.Context, *router.Account) (*account, error) { return &account{}, nil }},
	}
}

// Skip sets a function that reports whether a session has a stored message already, such as from the archive; then it is not
// delivered to it, and deleted. id is the message's stanza-id where it has one. Call it before the host is attached.
func (o *Offline) Skip(has func(to *router.Bound, id string) bool) { o.has = has }

// Refuse sets a function that reports whether an account has blocked a sender: stored messages of it are deleted instead of
// delivered (XEP-0191 §3.3). Call it before the host is attached.
func (o *Offline) Refuse(blocks func(ctx context.Context, a *router.Account, sender jid.JID) (bool, error)) {
	o.blocks = blocks
}

// refused reports whether a stored message is not delivered to the account any more.
func (o *Offline) refused(ctx context.Context, a *router.Account, m Message) (bool, error) {
	if o.blocks == nil {
		return false, nil
	}
	return o.blocks(ctx, a, m.Stanza.From)
}

// Feature declares the feature.
func (o *Offline) Feature() router.Feature {
	return router.Feature{
		Name: "offline",
		Stages: []router.Stage{
			{Name: "delay", Position: router.Clean, Outbound: o.removeForgedDelay, Inbound: o.removeForgedDelay, Skip: hasNoDelay},
			{Name: "offline", Position: router.Hold, Inbound: o.hold, Undelivered: o.undelivered, Skip: isNotStored},
		},
		HostDisco:   router.Disco{Info: disco.Info{Features: []string{feature}}},
		BeforeLogin: &router.BeforeLogin{Inline: router.Inline{Bound: o.clear}},
		Slots:       []router.AccountSlot{o.accounts},
		Flags:       []*router.Flag{o.served},
		Counters: []router.Counter{
			{Setting: "limits.offline_messages", Value: &o.tooMany}, {Setting: "limits.offline_bytes", Value: &o.tooLarge},
		},
		Specs: []spec.Spec{{Number: "0160", Title: "Best Practices for Handling Offline Messages", Version: "1.0.1", State: spec.Complete, Note: "Server."}},
	}
}

// fits reports whether one more message of that size is within the limits; if not, it counts the refusal. A sender
// gets at most half of what the others leave, so that nobody can keep others' messages out.
func (o *Offline) fits(u *usage, sender jid.JID, size int64) bool {
	has := u.senders[sender]
	others := Usage{u.all.Messages - has.Messages, u.all.Bytes - has.Bytes}
	switch {
	case has.Messages+1 > (u.limit.Messages-others.Messages+1)/2:
		o.tooMany.Add(1)
	case has.Bytes+size > (u.limit.Bytes-others.Bytes+1)/2:
		o.tooLarge.Add(1)
	default:
		return true
	}
	return false
}

// undelivered stores a message that no session of the account gets.
func (o *Offline) undelivered(ctx context.Context, p *router.Pass) error {
	account, size := p.Account.JID(), sizeOf(p.Stanza)
	switch {
	case p.Stanza.From == account:
		return router.ErrStop // a carbon copy or an archive result for a session that has ended (XEP-0280 §11)
	case !message.Offline(p.Stanza):
		return router.ErrStop // such as chat states (XEP-0160 §3)
	}
	if e := o.accounts.Loaded(p.Account); e != nil {
		st := e.returned(p.Stanza)
		if st == nil {
			return router.ErrStop // it is still stored
		}
		p.Stanza = st
	}
	ok, err := o.reserve(ctx, p.Account, p.Stanza.From.Bare(), size)
	if err != nil {
		return fmt.Errorf("store message for %s: %w", account, err)
	}
	if !ok {
		return stanza.ServiceUnavailable("") // XEP-0160 §2
	}
	o.add(p, size)
	if receiver(p.Account) == nil {
		return router.ErrStop
	}
	// A session has become available meanwhile.
	if err := o.deliverStored(ctx, p.Account, false); err != nil {
		o.log.Error("offline messages not delivered", "account", account, "err", err)
	}
	return router.ErrStop // after an error too: the message is stored
}

// add queues a message for the store.
func (o *Offline) add(p *router.Pass, size int64) {
	a, st, written := p.Account, p.Stanza, p.BeginWrite()
	if st.Entry == "" {
		st = st.Copy() // other goroutines may have the stanza already
		st.GiveEntry()
	}
	o.store.AddOffline(a.JID(), Message{ID: st.Entry, Stanza: st, Received: time.Now()}, func(err error) {
		if err != nil {
			o.release(a, st.From.Bare(), size)
			// Without this error the sender would believe that the message is stored.
			o.host.Router().Bounce(nil, st, o.host.LogError(err, "offline message not written"))
		}
		written(err)
	})
}

func sizeOf(st *stanza.Stanza) int64 { return int64(len(st.Payload) + len(st.Extra)) }

// receiver returns a session that gets the stored messages, or nil.
func receiver(a *router.Account) *router.Bound {
	for _, s := range a.Sessions() {
		if receivesMessages(s) {
			return s
		}
	}
	return nil
}

// receivesMessages reports whether a session gets messages to the bare JID (RFC 6121 §8.5.2.1.1).
func receivesMessages(s *router.Bound) bool {
	now := s.Presence()
	return now != nil && now.Priority >= 0
}

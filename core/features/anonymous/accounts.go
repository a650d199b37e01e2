package anonymous

import (
	"context"
	"crypto/rand"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/peerlimit"
	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stanza"
)

// Accounts are the accounts of a host, each of one connection. It is a router.Accounts.
type Accounts struct {
	domain string
	host   *router.Host
	limit  atomic.Int64 // accounts of one network; 0: none
	full   atomic.Uint64

	mu   sync.Mutex
	live map[jid.JID]netip.Prefix
	of   map[netip.Prefix]int64
}

// NewAccounts returns the accounts of a host. Serve must be called before clients connect.
func NewAccounts(domain jid.JID, limit int) *Accounts {
	a := &Accounts{domain: domain.Domain(), live: map[jid.JID]netip.Prefix{}, of: map[netip.Prefix]int64{}}
	a.SetLimit(limit)
	return a
}

// Serve says whose accounts they are.
func (a *Accounts) Serve(h *router.Host) { a.host = h }

// SetLimit replaces the number of accounts that clients of one network may have at the same time; 0: any.
func (a *Accounts) SetLimit(n int) { a.limit.Store(int64(n)) }

// Begin makes an account for a client: the name is a random UUID, which nobody has had before (XEP-0175 §2). It returns false if clients
// of the same network have too many.
func (a *Accounts) Begin(from netip.Addr) (account jid.JID, ok bool) {
	account = jid.MustParse(newName() + "@" + a.domain)
	network := peerlimit.Network(from)
	a.mu.Lock()
	defer a.mu.Unlock()
	if limit := a.limit.Load(); limit > 0 && a.of[network] >= limit {
		a.full.Add(1)
		return jid.JID{}, false
	}
	a.live[account] = network
	a.of[network]++
	return account, true
}

// newName returns a random UUID of version 4 (RFC 9562 §5.4).
func newName() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return stanza.FormatUUID(id)
}

// End ends an account with all that was its own.
func (a *Accounts) End(account jid.JID) {
	a.mu.Lock()
	network, known := a.live[account]
	if known {
		delete(a.live, account)
		if a.of[network]--; a.of[network] == 0 {
			delete(a.of, network)
		}
	}
	a.mu.Unlock()
	if known {
		a.host.Remove(account, "not-authorized", "the session has ended")
	}
}

// Exists implements router.Accounts.
func (a *Accounts) Exists(_ context.Context, account jid.JID) (bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, known := a.live[account.Bare()]
	return known, nil
}

// Count returns how many accounts there are.
func (a *Accounts) Count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.live)
}

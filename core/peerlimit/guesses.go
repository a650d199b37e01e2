package peerlimit

import (
	"net/netip"
	"sync"
	"time"
)

// Sizes and constants of Guesses.
const (
	longestWait = 30 * time.Second // of a guess; one that would wait longer is refused
	freeTries   = 3                // guesses of a name from a network that count as one for the network: a person's typing errors
	pairShare   = 4                // the limit for one name from one network is that of the network divided by this
	tableBits   = 16
	tableSize   = 1 << tableBits
	maxKnown    = 50_000 // names for which the networks of right guesses are remembered
	knownOf     = 4      // networks that are remembered for one name
)

// GuessLimits are the limits of Guesses in wrong guesses a minute; zero and less mean no limit.
type GuessLimits struct {
	Network int // from one network
	Name    int // for one name from all networks together
}

// Guesses limits wrong passwords and secrets. A guess is counted before it is checked, and taken back if it was right, so that
// guesses at the same time cannot exceed the limit. Four limits apply:
//
//   - one name from one network;
//   - the names that are tried from a network: a new name counts once, and has freeTries for that;
//   - further tries of these names from the network;
//   - one name from all networks.
//
// So a peer that types a wrong password uses up its own tries and not those of others behind the same address. From a network from
// which a right password for a name came lately, only the first limit applies to that name: guesses from elsewhere, or of other
// names, do not keep its owner out. A peer that was never there before can wait for others only while somebody tries many
// different names from its network, or its own name from anywhere.
type Guesses struct {
	start time.Time
	index func(of netip.Prefix, name string) uint64 // in the tables

	mu       sync.Mutex
	limits   GuessLimits
	pairs    [tableSize]pair
	fresh    [tableSize]bucket                 // new names, by network
	repeated [tableSize]bucket                 // further tries of the same names, by network
	names    [tableSize]bucket                 // by name
	known    map[string]*[knownOf]netip.Prefix // where right guesses for a name came from, the last one first
}

// pair counts the guesses of one name from one network.
type pair struct {
	bucket
	free uint8 // guesses left that the limits of the network do not count
}

// NewGuesses returns a Guesses.
func NewGuesses(l GuessLimits) *Guesses {
	return &Guesses{start: time.Now(), index: newIndex(tableBits), limits: l, known: map[string]*[knownOf]netip.Prefix{}}
}

// SetLimits replaces the limits.
func (g *Guesses) SetLimits(l GuessLimits) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limits = l
}

// Guess is a guess that is counted. After the check the caller calls Right if it was right, and nothing if it was wrong; Cancel
// if there was no check.
type Guess struct {
	owner   *Guesses
	of      netip.Prefix
	name    string
	charged [levels + 2]*bucket // those that count it: the first n
	n       int
}

// Reserve counts a guess from an address for a name, which is in its canonical form. The caller waits before it checks the guess. A
// nil Guess means that the wait would be too long: the guess is refused.
func (g *Guesses) Reserve(from netip.Addr, name string) (*Guess, time.Duration) {
	of := networks(from)
	guess := &Guess{owner: g, of: of[0], name: name}
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Since(g.start)
	perMinute := func(n int) limit { return limit{n, time.Minute} }
	wait := time.Duration(0)
	if g.limits.Network > 0 {
		p := &g.pairs[g.index(of[0], name)]
		own := perMinute(max(g.limits.Network/pairShare, 1))
		p.drain(now, own)
		table := &g.repeated
		switch {
		case p.level == 0:
			table, p.free = &g.fresh, freeTries-1
		case p.free > 0:
			table = nil
			p.free--
		}
		wait = guess.charge(&p.bucket, now, own)
		if table != nil && !g.isKnown(of[0], name) {
			for level, network := range of {
				if level == 0 || network.IsValid() {
					wait = max(wait, guess.charge(&table[g.index(network, "")], now, perMinute(scaled(g.limits.Network, level))))
				}
			}
		}
	}
	if g.limits.Name > 0 && !g.isKnown(of[0], name) {
		wait = max(wait, guess.charge(&g.names[g.index(netip.Prefix{}, name)], now, perMinute(g.limits.Name)))
	}
	if wait > longestWait {
		guess.refund()
		return nil, wait
	}
	return guess, wait
}

// charge counts the guess in a bucket.
func (u *Guess) charge(b *bucket, now time.Duration, l limit) time.Duration {
	u.charged[u.n] = b
	u.n++
	return b.add(now, l)
}

// refund takes the guess back. The lock is held.
func (u *Guess) refund() {
	for _, b := range u.charged[:u.n] {
		b.undo()
	}
	u.n = 0
}

// Cancel records that the guess was not checked: it does not count.
func (u *Guess) Cancel() {
	u.owner.mu.Lock()
	defer u.owner.mu.Unlock()
	u.refund()
}

// Right records that the guess was right: it does not count, and its network is remembered for the name.
func (u *Guess) Right() {
	g := u.owner
	g.mu.Lock()
	defer g.mu.Unlock()
	u.refund()
	if g.isKnown(u.of, u.name) {
		return
	}
	list := g.known[u.name]
	if list == nil {
		if len(g.known) >= maxKnown {
			for name := range g.known { // any one
				delete(g.known, name)
				break
			}
		}
		list = &[knownOf]netip.Prefix{}
		g.known[u.name] = list
	}
	copy(list[1:], list[:])
	list[0] = u.of
}

// isKnown reports whether a right guess for the name came from that network. The lock is held.
func (g *Guesses) isKnown(of netip.Prefix, name string) bool {
	list := g.known[name]
	if list == nil {
		return false
	}
	for _, p := range list {
		if p == of {
			return true
		}
	}
	return false
}

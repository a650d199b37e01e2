package unacked

import (
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// NS is the namespace of stream management.
const NS = "urn:xmpp:sm:3"

const (
	// requestEvery is the number of stanzas after which an acknowledgement is requested at the latest, and
	// requestBytes their size.
	requestEvery = 10
	requestBytes = 64 << 10
	// overdraft is how many times the limits may be exceeded while a connection is attached: the answers to requests that
	// were sent together come before the client can acknowledge any of them.
	overdraft = 4
	// maxIdle is the largest capacity that an empty list keeps allocated.
	maxIdle = 64
	// overhead is an estimate of the memory of a stanza beside its payload.
	overhead = 256
)

// Size returns the size of a stanza that counts against Limits.Bytes.
func Size(st *stanza.Stanza) int { return len(st.Payload) + len(st.Extra) + overhead }

// Limits bound the stanzas of a List.
type Limits struct {
	Stanzas int
	Bytes   int // sum of Size
}

// Stanza is a stanza that the peer has not acknowledged.
type Stanza struct {
	Stanza *stanza.Stanza
	Number uint32
	At     time.Time // when it was delivered
}

// List is the list of the stanzas that the peer has not acknowledged (XEP-0198 §4). Numbers of stanzas wrap at 2^32. Any
// goroutine may call its methods.
type List struct {
	limits Limits
	hooks  Hooks

	mu      sync.Mutex
	list    []entry   // what comes after acked, in order
	acked   uint32    // number of the last stanza that was acknowledged
	sent    uint32    // of the last stanza that was appended to a queue
	asked   uint32    // of the last stanza before the latest request
	askedAt time.Time // of that request
	bytes   int       // of list
	unasked int       // bytes since the latest request
	waiting []waiter
}

type entry struct {
	st *stanza.Stanza
	at int64 // in microseconds since 1970
}

type waiter struct {
	number uint32
	done   func(acked bool)
}

// Hooks are called without a lock, by the goroutine that adds a stanza, and must not block.
type Hooks struct {
	Added func(n uint32, st *stanza.Stanza)
	// Full is called when the limits are exceeded. The stanza was added all the same.
	Full func()
	// Acked is called with the stanzas that the peer has acknowledged, by the goroutine that calls Ack.
	Acked func([]*stanza.Stanza)
	// Unasked is called for a stanza after which no acknowledgement was requested yet: List.RequestDue says when to.
	Unasked func()
}

// New returns an empty list; acked is the number of the last stanza that was acknowledged, 0 for a new stream.
func New(acked uint32, limits Limits, hooks Hooks) *List {
	return &List{limits: limits, hooks: hooks, acked: acked, sent: acked, asked: acked}
}

// Added says what a caller of Add does: it sends a request for an acknowledgement, if Request is set, and calls After when it has
// released its locks.
type Added struct {
	Request        bool
	n              uint32
	full, schedule bool
}

// Add adds a stanza that is appended to a queue. The caller holds the lock of the queue, so that the order is the same.
func (u *List) Add(st *stanza.Stanza) (a Added) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.push(st, time.Now())
	u.sent = u.last()
	u.unasked += len(st.Payload)
	a.n = u.sent
	a.full = len(u.list) > overdraft*u.limits.Stanzas || u.bytes > overdraft*u.limits.Bytes ||
		u.over() && u.asked != u.acked && time.Since(u.askedAt) > AckWait/2
	waits := u.sent - u.asked
	a.Request = waits >= requestEvery || u.unasked >= requestBytes
	a.schedule = waits == 1 && !a.Request
	if a.Request {
		u.request()
	}
	return a
}

func (u *List) push(st *stanza.Stanza, at time.Time) {
	st.DropTree() // it is kept until the client answers
	u.list = append(u.list, entry{st, at.UnixMicro()})
	u.bytes += Size(st)
}

func (u *List) last() uint32 { return u.acked + uint32(len(u.list)) }

// Over reports whether the limits are exceeded.
func (u *List) Over() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.over()
}

func (u *List) over() bool { return len(u.list) > u.limits.Stanzas || u.bytes > u.limits.Bytes }

// request notes that an acknowledgement is requested now. The lock is held.
func (u *List) request() {
	if u.asked == u.acked { // else the earlier request is still to be answered
		u.askedAt = time.Now()
	}
	u.asked, u.unasked = u.sent, 0
}

// After calls what is due after Add.
func (u *List) After(a Added, st *stanza.Stanza) {
	if f := u.hooks.Added; f != nil {
		f(a.n, st)
	}
	if a.full && u.hooks.Full != nil {
		u.hooks.Full()
	}
	if a.schedule && u.hooks.Unasked != nil {
		u.hooks.Unasked()
	}
}

// Hold adds a stanza while no connection is attached. replaces, which may be nil, is called with the stanzas that were
// never sent, the latest first: the first one for which it returns true is removed. Hold returns false if the limits are
// exceeded.
func (u *List) Hold(st *stanza.Stanza, replaces func(*stanza.Stanza) bool) bool {
	u.mu.Lock()
	if replaces != nil {
		for i := len(u.list) - 1; i >= int(u.sent-u.acked); i-- {
			if old := u.list[i].st; replaces(old) {
				u.bytes -= Size(old)
				u.list = append(u.list[:i], u.list[i+1:]...)
				break
			}
		}
	}
	u.push(st, time.Now())
	n, fits := u.last(), !u.over()
	u.mu.Unlock()
	if f := u.hooks.Added; f != nil {
		f(n, st)
	}
	return fits
}

// Refill adds a stanza that an earlier list had, with the time at which it was delivered.
func (u *List) Refill(st *stanza.Stanza, at time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.push(st, at)
}

// Ack removes the stanzas up to the number h. It returns false, and changes nothing, if the peer was not sent that many; sent is
// the number of those.
func (u *List) Ack(h uint32) (sent uint32, ok bool) {
	u.mu.Lock()
	n := h - u.acked // modulo 2^32 (XEP-0198 §4)
	if n > u.sent-u.acked {
		sent = u.sent
		u.mu.Unlock()
		return sent, false
	}
	var acked []*stanza.Stanza
	if u.hooks.Acked != nil && n > 0 {
		acked = make([]*stanza.Stanza, 0, n)
	}
	for _, e := range u.list[:n] {
		u.bytes -= Size(e.st)
		if acked != nil {
			acked = append(acked, e.st)
		}
	}
	rest := copy(u.list, u.list[n:])
	clear(u.list[rest:])
	u.list = u.list[:rest]
	if u.asked-u.acked < n { // acknowledged before it was requested
		u.asked, u.unasked = h, 0
	}
	u.acked = h
	if u.asked != u.acked {
		u.askedAt = time.Now() // the peer is there
	}
	if rest == 0 && cap(u.list) > maxIdle {
		u.list = nil
	}
	due := u.due()
	u.mu.Unlock()
	if acked != nil {
		u.hooks.Acked(acked)
	}
	for _, done := range due {
		done(true)
	}
	return h, true
}

// due removes the waiters whose stanzas are acknowledged. The lock is held.
func (u *List) due() (list []func(bool)) {
	for len(u.waiting) > 0 && int32(u.waiting[0].number-u.acked) <= 0 {
		list = append(list, u.waiting[0].done)
		u.waiting = u.waiting[1:]
	}
	if len(u.waiting) == 0 {
		u.waiting = nil
	}
	return list
}

// NotifyAcked calls done with true when all stanzas that were added before are acknowledged, or with false when Take is called
// before that.
func (u *List) NotifyAcked(done func(acked bool)) {
	u.mu.Lock()
	if len(u.list) > 0 {
		u.waiting = append(u.waiting, waiter{u.last(), done})
		u.mu.Unlock()
		return
	}
	u.mu.Unlock()
	done(true)
}

// Take removes all stanzas and returns them in order.
func (u *List) Take() []Stanza {
	u.mu.Lock()
	list, waiting := u.stanzas(), u.waiting
	u.list, u.bytes, u.waiting = nil, 0, nil
	u.acked, u.asked = u.sent, u.sent
	u.mu.Unlock()
	for _, w := range waiting {
		w.done(false)
	}
	return list
}

// Stanzas returns the stanzas in order.
func (u *List) Stanzas() []Stanza {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.stanzas()
}

func (u *List) stanzas() []Stanza {
	list := make([]Stanza, len(u.list))
	for i, e := range u.list {
		list[i] = Stanza{e.st, u.acked + uint32(i) + 1, time.UnixMicro(e.at)}
	}
	return list
}

// Change replaces each stanza by what f returns.
func (u *List) Change(f func(Stanza) *stanza.Stanza) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for i := range u.list {
		e := &u.list[i]
		u.bytes -= Size(e.st)
		e.st = f(Stanza{e.st, u.acked + uint32(i) + 1, time.UnixMicro(e.at)})
		u.bytes += Size(e.st)
	}
}

// Acked returns the number of the last stanza that was acknowledged, and when the first one after it was delivered, which is now if
// there is none.
func (u *List) Acked() (n uint32, since time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.list) == 0 {
		return u.acked, time.Now()
	}
	return u.acked, time.UnixMicro(u.list[0].at)
}

// Last returns the number of the last stanza that was added.
func (u *List) Last() uint32 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.last()
}

// Between returns the stanzas with numbers after first, up to last.
func (u *List) Between(first, last uint32) []*stanza.Stanza {
	u.mu.Lock()
	defer u.mu.Unlock()
	var list []*stanza.Stanza
	for i, e := range u.list {
		if n := u.acked + uint32(i) + 1; int32(n-first) > 0 && int32(n-last) <= 0 {
			list = append(list, e.st)
		}
	}
	return list
}

// NearlyFull reports whether half of the limits is used.
func (u *List) NearlyFull() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.list) > u.limits.Stanzas/2 || u.bytes > u.limits.Bytes/2
}

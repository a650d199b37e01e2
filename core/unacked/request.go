package unacked

import (
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
)

// AckWait is how long a peer may take to answer a request for an acknowledgement.
const AckWait = time.Minute

// RequestState says what to do about an acknowledgement that is to come.
type RequestState uint8

// The states of RequestDue.
const (
	AllAcked  RequestState = iota // nothing is to come
	Unasked                       // request one
	Requested                     // it was requested, and may still come
	Overdue                       // the peer does not answer
)

// RequestDue returns the state.
func (u *List) RequestDue() RequestState {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.sent == u.acked:
		return AllAcked
	case u.asked != u.acked && time.Since(u.askedAt) >= AckWait:
		return Overdue
	case u.asked != u.sent:
		return Unasked
	}
	return Requested
}

// Request notes that an acknowledgement is requested now. It returns false, and notes nothing, if it is not needed.
func (u *List) Request() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.asked == u.sent {
		return false
	}
	u.request()
	return true
}

// Resend calls send for each stanza in order, and counts it as sent, until send returns false. The caller holds the lock of the queue. It
// requests an acknowledgement then, if Resend returns true.
func (u *List) Resend(send func(*stanza.Stanza) bool) (request bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, e := range u.list {
		if !send(e.st) {
			return false
		}
	}
	u.sent = u.last()
	u.asked, u.unasked = u.acked, 0
	if u.sent == u.acked {
		return false
	}
	u.request()
	return true
}

// Bytes returns the size of all stanzas.
func (u *List) Bytes() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.bytes
}

package s2s

import (
	"errors"
	"os"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/s2s/outbox"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Counters are the counters of a Server. Any goroutine may read them.
type Counters struct {
	stream.Counters
	In, Out       atomic.Int64  // authenticated connections at the moment
	Received      atomic.Uint64 // stanzas
	Sent          atomic.Uint64 // stanzas that a connection was given
	Failed        atomic.Uint64 // attempts to connect
	Refused       atomic.Uint64 // incoming connections that ended before they were authenticated
	Forged        atomic.Uint64 // invalid dialback keys, and stanzas for pairs without a right
	Returned      atomic.Uint64 // stanzas that could not be sent
	LimitCounters LimitCounters
}

// LimitCounters count how often limits were reached.
type LimitCounters struct {
	TooMany, TooFast, Displaced, Late, Full, Crowded, Held, SlowElement atomic.Uint64
	Outbox                                                              outbox.Counters
	// Which limit of a stanza ended streams, before authentication and after it.
	BeforeLogin, Stanza stream.Excess
}

// ended counts the limit that has ended a connection on which a peer had authenticated.
func (l *LimitCounters) ended(err error) {
	l.Stanza.Count(err)
	if errors.Is(err, stream.ErrSlowElement) || errors.Is(err, os.ErrDeadlineExceeded) { // of a write
		l.SlowElement.Add(1)
	}
}

// refused counts an incoming connection that ended before it was authenticated.
func (k *Counters) refused(err error) {
	k.Refused.Add(1)
	l := &k.LimitCounters
	l.BeforeLogin.Count(err)
	switch err {
	case errLate:
		l.Late.Add(1)
	case errTooMany:
		l.TooMany.Add(1)
	case errDisplaced:
		l.Displaced.Add(1)
	case errFlood:
		l.BeforeLogin.Bytes.Add(1)
	}
}

// Limits are the counters of limits, under the names of their settings.
func (k *Counters) Limits() []router.Counter {
	l := &k.LimitCounters
	return []router.Counter{
		{Setting: "federation.wait", Value: &l.Late},
		{Setting: "federation.waiting_stanzas", Value: &l.Full},
		{Setting: "federation.outbox_stanzas", Value: &l.Outbox.Stanzas},
		{Setting: "federation.outbox_bytes", Value: &l.Outbox.Bytes},
		{Setting: "federation.outbox_total", Value: &l.Outbox.Total},
		{Setting: "federation.attempts", Value: &l.Crowded},
		{Setting: "federation.stanza_bytes", Value: &l.Stanza.Bytes},
		{Setting: "federation.stanza_elements", Value: &l.Stanza.Elements},
		{Setting: "federation.stanza_time", Value: &l.SlowElement},
		{Setting: "federation.rate", Value: &k.Throttled},
		{Setting: "federation.queue", Value: &k.Slow},
		{Setting: "federation.queues", Value: &l.Held},
		{Setting: "limits.stanza_depth", Value: &l.Stanza.Depth},
		{Setting: "limits.stanza_attributes", Value: &l.Stanza.Attrs},
		{Setting: "limits.login_bytes", Value: &l.BeforeLogin.Bytes},
		{Setting: "limits.login_elements", Value: &l.BeforeLogin.Elements},
		{Setting: "limits.login_depth", Value: &l.BeforeLogin.Depth},
		{Setting: "limits.login_attributes", Value: &l.BeforeLogin.Attrs},
		{Setting: "limits.connections", Value: &l.TooMany},
		{Setting: "limits.new_connections", Value: &l.TooFast},
		{Setting: "limits.pending_connections", Value: &l.Displaced},
	}
}

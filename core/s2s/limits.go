package s2s

import (
	"cmp"
	"time"

	"github.com/dragoman-im/dragoman/core/s2s/outbox"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Limits limit what other servers can make this one do. Fields that are zero have the defaults of this package; negative ones mean no limit.
type Limits struct {
	// BeforeLogin and Stanza limit what peers send before and after they have proved who they are; the defaults
	// are those of stream.BeforeLogin and stream.ForServers.
	BeforeLogin, Stanza stream.Limits

	Connections int // from one address; 100
	Arrivals    int // new connections a second from one address; 20
	Pending     int // that have not authenticated, from all addresses; 1000
	Rate        int // bytes a second of one connection; 100 KiB
	Burst       int // bytes at once; 1 MiB

	Queue int // bytes that may be unwritten, or unacknowledged; with more a connection is closed; 16 MiB
	// Queues is the same for all connections together: with more, stanzas are returned whose connections use more than an equal share; 256 MiB.
	Queues int64

	Bidi Bidi // whether streams are used in both directions (XEP-0288)

	Times
	WaitLimits
}

// Times limit how long things may take.
type Times struct {
	Wait    time.Duration // from connecting to the end of the negotiation; 60 s
	Idle    time.Duration // after which an unused connection is closed; 10 min
	Element time.Duration // for one stanza to arrive, and for what is written at once to be taken; 60 s
	Resume  time.Duration // for which a stream that was cut can be resumed (XEP-0198); 5 min, negative: not at all
}

// Bidi says whether streams are used in both directions.
type Bidi uint8

// Values of Bidi.
const (
	BidiAccepted Bidi = iota // where other servers ask for it
	BidiWanted               // this server asks for it, too
	BidiRefused
)

func (l *Limits) offersBidi() bool  { return l.Bidi != BidiRefused }
func (l *Limits) asksForBidi() bool { return l.Bidi == BidiWanted }

// WaitLimits limit what waits until another server is connected.
type WaitLimits struct {
	Stanzas  int // of one link; 1000
	Bytes    int // of one link; 1 MiB
	Attempts int // connections that are being opened; 4000

	Outbox outbox.Limits // of what is kept on the disk until the other server has it
}

// Limits that no setting changes.
const (
	maxLinks         = 50_000
	maxWaiting       = 256 << 20 // bytes in all links until another server is connected
	maxLooked        = 64        // links of which one is forgotten for another, if there are so many
	maxPairs         = 1000      // for which one connection may send
	maxVerifying     = 20        // keys of one connection that are being verified
	maxRefused       = 20        // results of one connection that were refused
	maxVerifications = 1000      // connections that were opened to verify a key
	maxOneNetwork    = 50        // keys that connections from one network have sent and that are being verified
	maxLookups       = 10        // for certificates of connections from one network
	maxOneDomain     = 20        // connections that were opened to verify keys of one domain
	shareOfAttempts  = 8         // one account may cause this part of the attempts at the same time
	maxTries         = 3         // further servers of a domain that are tried if no stream can be negotiated with the first

	negotiationBytes = 256 << 10        // that a peer may send before it has proved who it is
	stepWait         = 30 * time.Second // for the answer to a dialback request on a connection that is in use

	retryMin = 2 * time.Second
	retryMax = 5 * time.Minute
	steady   = 30 * time.Second // a connection that lasted so long resets the back-off
	maxFlaps = 5                // shorter ones in a row, after which what waits is returned

	silences   = 4 // times Limits.Idle after which an incoming connection on which nothing arrives is closed
	sweepEvery = 10 * time.Second
	countEvery = 100 * time.Millisecond // how often all queues are counted at most while their limit is reached
)

func (l Limits) filled() Limits {
	l.Stanza = l.Stanza.Or(stream.ForServers())
	l.Connections, l.Arrivals, l.Pending = cmp.Or(l.Connections, 100), cmp.Or(l.Arrivals, 20), cmp.Or(l.Pending, 1000)
	l.Rate, l.Burst = cmp.Or(l.Rate, 100<<10), cmp.Or(l.Burst, 1<<20)
	l.Queue, l.Queues = cmp.Or(l.Queue, 16<<20), cmp.Or(l.Queues, 256<<20)
	l.Wait, l.Idle, l.Resume = cmp.Or(l.Wait, time.Minute), cmp.Or(l.Idle, 10*time.Minute), cmp.Or(l.Resume, 5*time.Minute)
	l.Element = cmp.Or(l.Element, time.Minute)
	l.Stanzas, l.Bytes, l.Attempts = cmp.Or(l.Stanzas, 1000), cmp.Or(l.Bytes, 1<<20), cmp.Or(l.Attempts, 4000)
	return l
}

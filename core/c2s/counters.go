package c2s

import (
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/stream"
)

// Counters may be read at any time.
type Counters struct {
	Connections atomic.Int64 // open at the moment
	Sessions    atomic.Int64 // bound at the moment

	Accepted     atomic.Uint64
	TooMany      atomic.Uint64 // refused: connections from one address
	TooFast      atomic.Uint64 // refused: new connections from one address
	LateTLS      atomic.Uint64 // ended because TLS did not come in time
	LateLogin    atomic.Uint64 // ended because no login came in time
	Logins       atomic.Uint64
	LoginsFailed atomic.Uint64
	LoginsHeld   atomic.Uint64 // made to wait because of failures from the same address
	Tries        atomic.Uint64 // ended because of failed logins on one connection
	Recipients   atomic.Uint64 // stanzas refused because a session writes to so many
	Full         atomic.Uint64 // sessions not bound because the account has so many
	Handshakes   atomic.Uint64 // of TLS that failed
	Received     atomic.Uint64 // stanzas of bound sessions
	Delivered    atomic.Uint64 // stanzas to them
	Throttled    atomic.Uint64 // waits because of the byte rate
	StreamErrors atomic.Uint64 // sent by us, shutdown left out
	Policy       atomic.Uint64 // of them: a limit of size, number or depth
	Silent       atomic.Uint64 // ended because no answer came
	Slow         atomic.Uint64 // ended because the client did not read
	Panics       atomic.Uint64

	// Which limit of a stanza ended streams, before login and after it.
	BeforeLogin, Stanza stream.Excess
}

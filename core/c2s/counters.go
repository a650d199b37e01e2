package c2s

import (
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Counters are the counters of a Server. Any goroutine may read them.
type Counters struct {
	stream.Counters
	ConnectionCounters
	LoginCounters
	SessionCounters

	// Which limit of a stanza ended streams, before login and after it.
	BeforeLogin, Stanza stream.Excess
}

// ConnectionCounters count connections in any state.
type ConnectionCounters struct {
	Connections  atomic.Int64 // open at the moment
	Accepted     atomic.Uint64
	TooMany      atomic.Uint64 // refused, or ended before login: connections from one address
	TooFast      atomic.Uint64 // refused: new connections from one address
	Displaced    atomic.Uint64 // ended before login in favour of a newer one
	LateTLS      atomic.Uint64 // ended because TLS was not negotiated in time
	LateLogin    atomic.Uint64 // ended because no session was bound in time
	Handshakes   atomic.Uint64 // of TLS that failed
	StreamErrors atomic.Uint64 // sent by us, shutdown left out
	Policy       atomic.Uint64 // of them: a limit of size, number or depth
	Fragments    atomic.Uint64 // ended because a message over WebSocket had too many frames
}

// LoginCounters count attempts to log in.
type LoginCounters struct {
	Logins       atomic.Uint64
	LoginsFailed atomic.Uint64
	LoginsHeld   atomic.Uint64 // delayed or refused because of failures from the same address or for the same account
	Tries        atomic.Uint64 // connections ended because of failed logins on them
}

// SessionCounters count what bound sessions do.
type SessionCounters struct {
	Sessions   atomic.Int64  // bound at the moment
	Full       atomic.Uint64 // not bound because the account has too many
	Recipients atomic.Uint64 // stanzas refused because a session writes to too many addresses
	Received   atomic.Uint64 // stanzas of sessions
	Delivered  atomic.Uint64 // stanzas to them
	ResumptionCounters
	InactiveCounters
}

// ResumptionCounters count sessions that can be resumed (XEP-0198).
type ResumptionCounters struct {
	Detached        atomic.Int64  // of the bound sessions, without a connection at the moment
	Resumed         atomic.Uint64 // sessions that were resumed
	ResumeFailed    atomic.Uint64 // requests to resume that failed
	Expired         atomic.Uint64 // sessions that were not resumed in time
	Unacked         atomic.Uint64 // sessions ended because too much was not acknowledged
	DetachedTooMany atomic.Uint64 // sessions ended because the account had too many without a connection
}

// InactiveCounters count what is done for inactive clients (XEP-0352).
type InactiveCounters struct {
	Inactive     atomic.Int64  // sessions with an inactive client at the moment
	Held         atomic.Uint64 // stanzas that were held
	Dropped      atomic.Uint64 // of them: dropped because a later one replaced them
	InactiveFull atomic.Uint64 // times that so much was held that it was sent
}

// Limits are the counters of limits, under the names of their settings.
func (k *Counters) Limits() []router.Counter {
	return []router.Counter{
		{Setting: "login.tries", Value: &k.Tries},
		{Setting: "login.failures", Value: &k.LoginsHeld},
		{Setting: "login.tls_wait", Value: &k.LateTLS},
		{Setting: "login.wait", Value: &k.LateLogin},
		{Setting: "limits.stanza_bytes", Value: &k.Stanza.Bytes},
		{Setting: "limits.stanza_elements", Value: &k.Stanza.Elements},
		{Setting: "limits.stanza_depth", Value: &k.Stanza.Depth},
		{Setting: "limits.stanza_attributes", Value: &k.Stanza.Attrs},
		{Setting: "limits.login_bytes", Value: &k.BeforeLogin.Bytes},
		{Setting: "limits.login_elements", Value: &k.BeforeLogin.Elements},
		{Setting: "limits.login_depth", Value: &k.BeforeLogin.Depth},
		{Setting: "limits.login_attributes", Value: &k.BeforeLogin.Attrs},
		{Setting: "limits.rate", Value: &k.Throttled},
		{Setting: "limits.queue", Value: &k.Slow},
		{Setting: "limits.connections", Value: &k.TooMany},
		{Setting: "limits.pending_connections", Value: &k.Displaced},
		{Setting: "limits.new_connections", Value: &k.TooFast},
		{Setting: "limits.sessions", Value: &k.Full},
		{Setting: "limits.recipients", Value: &k.Recipients},
		{Setting: "limits.fragments", Value: &k.Fragments},
		{Setting: "limits.idle", Value: &k.Silent},
		{Setting: "limits.unacknowledged", Value: &k.Unacked},
		{Setting: "limits.detached_sessions", Value: &k.DetachedTooMany},
		{Setting: "limits.inactive_queue", Value: &k.InactiveFull},
	}
}

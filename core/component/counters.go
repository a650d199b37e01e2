package component

import (
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/router"
	"github.com/dragoman-im/dragoman/core/stream"
)

// Counters are the counters of a Server. Any goroutine may read them.
type Counters struct {
	stream.Counters

	Connections  atomic.Int64  // open at the moment
	Attached     atomic.Int64  // of them authenticated
	Refused      atomic.Uint64 // for any of the reasons below, wrong secret, or unknown domain
	TooMany      atomic.Uint64 // too many connections from one address
	TooFast      atomic.Uint64 // too many new connections from one address
	Displaced    atomic.Uint64 // ended before the handshake in favour of a newer one
	Guesses      atomic.Uint64 // too many wrong secrets
	Late         atomic.Uint64 // no handshake in time
	StreamErrors atomic.Uint64 // sent by us after a component was attached
	Received     atomic.Uint64 // stanzas
	Unavailable  atomic.Uint64 // stanzas for a component that was not connected

	// Which limit of a stanza ended streams, before the handshake and after it.
	BeforeLogin, Stanza stream.Excess
}

// refused counts a connection that ended before the component was attached.
func (k *Counters) refused(err error) {
	k.Refused.Add(1)
	k.BeforeLogin.Count(err)
	switch err {
	case errLate:
		k.Late.Add(1)
	case errTooMany:
		k.TooMany.Add(1)
	case errDisplaced:
		k.Displaced.Add(1)
	case errGuesses:
		k.Guesses.Add(1)
	case errFlood:
		k.BeforeLogin.Bytes.Add(1)
	}
}

// ended counts the end of an attached component.
func (k *Counters) ended(err error) {
	k.Stanza.Count(err)
	if stream.Reported(err) != nil {
		k.StreamErrors.Add(1)
	}
}

// Limits are the counters of limits, under the names of their settings.
func (k *Counters) Limits() []router.Counter {
	return []router.Counter{
		{Setting: "login.wait", Value: &k.Late},
		{Setting: "limits.stanza_depth", Value: &k.Stanza.Depth},
		{Setting: "limits.stanza_attributes", Value: &k.Stanza.Attrs},
		{Setting: "limits.login_bytes", Value: &k.BeforeLogin.Bytes},
		{Setting: "limits.login_elements", Value: &k.BeforeLogin.Elements},
		{Setting: "limits.login_depth", Value: &k.BeforeLogin.Depth},
		{Setting: "limits.login_attributes", Value: &k.BeforeLogin.Attrs},
		{Setting: "limits.component_bytes", Value: &k.Stanza.Bytes},
		{Setting: "limits.component_elements", Value: &k.Stanza.Elements},
		{Setting: "limits.component_queue", Value: &k.Slow},
		{Setting: "limits.component_rate", Value: &k.Throttled},
		{Setting: "limits.connections", Value: &k.TooMany},
		{Setting: "limits.new_connections", Value: &k.TooFast},
		{Setting: "limits.pending_connections", Value: &k.Displaced},
		{Setting: "login.failures", Value: &k.Guesses},
		{Setting: "limits.idle", Value: &k.Silent},
	}
}

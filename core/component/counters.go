package component

import (
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/stream"
)

// Counters may be read at any time.
type Counters struct {
	stream.Counters

	Connections     atomic.Int64  // open at the moment
	Attached        atomic.Int64  // of them authenticated
	Refused         atomic.Uint64 // wrong secret, unknown domain, too late, or too many at once
	Unauthenticated atomic.Uint64 // of them: too many at once
	Late            atomic.Uint64 // of them: no handshake in time
	StreamErrors    atomic.Uint64 // sent by us after a component was attached
	Received        atomic.Uint64 // stanzas
	Unavailable     atomic.Uint64 // stanzas for a component that was not connected

	// Which limit of a stanza ended streams, before the handshake and after it.
	BeforeLogin, Stanza stream.Excess
}

// refused counts a connection that never was attached.
func (k *Counters) refused(err error) {
	k.Refused.Add(1)
	k.BeforeLogin.Count(err)
	switch err {
	case errLate:
		k.Late.Add(1)
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

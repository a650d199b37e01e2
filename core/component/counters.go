package component

import (
	"errors"
	"sync/atomic"

	"github.com/dragoman-im/dragoman/core/stream"
)

// Counters may be read at any time.
type Counters struct {
	Connections  atomic.Int64  // open at the moment
	Attached     atomic.Int64  // of them proved
	Refused      atomic.Uint64 // wrong secret, unknown domain, too late, or too many at once
	Strangers    atomic.Uint64 // of them: too many at once
	Late         atomic.Uint64 // of them: no handshake in time
	StreamErrors atomic.Uint64 // sent by us after a component was attached
	Silent       atomic.Uint64 // ended because no answer came
	Slow         atomic.Uint64 // ended because the component did not read
	Received     atomic.Uint64 // stanzas
	Unavailable  atomic.Uint64 // stanzas for a component that was away

	// Which limit of a stanza ended streams, before the handshake and after it.
	BeforeLogin, Stanza stream.Excess
}

// refused counts a connection that never was attached.
func (k *Counters) refused(err error) {
	k.Refused.Add(1)
	k.BeforeLogin.Count(err)
	switch err {
	case errSilent:
		k.Late.Add(1)
	case errFlood:
		k.BeforeLogin.Bytes.Add(1)
	}
}

// ended counts the end of an attached component; told is whether it got a stream error.
func (k *Counters) ended(err error, told bool) {
	k.Stanza.Count(err)
	switch {
	case err == errSilent:
		k.Silent.Add(1)
	case errors.Is(err, stream.ErrSlow):
		k.Slow.Add(1)
	}
	if told && stream.AsError(err) != nil {
		k.StreamErrors.Add(1)
	}
}

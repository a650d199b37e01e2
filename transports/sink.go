package transports

import (
	"context"
	"encoding/json"
)

// Sink takes a client's events. Its methods may be called from any goroutine.
type Sink interface {
	// Deliver returns once the event is durable (typing and presence: once it was taken), so that the
	// client may then acknowledge it to the network. It may be called again with the same event: the bridge
	// drops what it has had. An event that several logins see may be delivered by one of them, see Event.SeenBy.
	Deliver(ctx context.Context, event Event) error
	// State reports the client's state; cause is nil where all is well. Online after a gap (a reconnect
	// that did not resume) is followed by Resynced. A client that is not connected yet when Open returns
	// has reported Connecting before: the bridge asks the Historian only once it is Online. One that has
	// reported nothing is taken to be online.
	State(state State, cause error)
	// Resynced means that the client is online again and may have missed events since it was last
	// Online: the bridge then asks the Historian for what came since the last message that it knows of
	// each room. A client that resumed without loss does not call it.
	//
	// With rooms named, something may have been missed in those alone, such as an event that the client
	// could not decode for the moment. What comes after the call stays behind what is read then.
	Resynced(rooms ...RoomID)
	// Save keeps the client's own resume state (Login.State) for the next Open. It is written with the
	// events delivered before it, never earlier.
	Save(state json.RawMessage)
	// Rotate replaces the login's secret, durably, before it returns: for networks whose tokens are used once.
	Rotate(ctx context.Context, secret []byte) error
}

// Poster is a Sink that can take an event without waiting, in the order of the calls; done is called
// once the event is durable, or with the error. done must not block. Post itself waits while too
// many events are pending.
type Poster interface {
	Post(ctx context.Context, event Event, done func(error))
}

// Post gives an event to a sink, without waiting where the sink is a Poster.
func Post(ctx context.Context, sink Sink, event Event, done func(error)) {
	if p, ok := sink.(Poster); ok {
		p.Post(ctx, event, done)
		return
	}
	done(sink.Deliver(ctx, event))
}

// Noticer is a Sink that can notify the login's owner of what they should see to, such as a permission that
// the login lacks, while all else goes on. The same text under the same key is sent once as long as the
// login exists and the process runs. It does not wait.
type Noticer interface {
	Notice(key, text string)
}

// Notice notifies the login's owner, where the sink can.
func Notice(sink Sink, key, text string) {
	if n, ok := sink.(Noticer); ok {
		n.Notice(key, text)
	}
}

// State is a client's state.
type State int

// The states of a client.
const (
	Connecting State = iota + 1
	Online
	Limited    // the network asked us to wait
	NeedsLogin // the person has to link again; final
	Failed     // will not come back without the operator; final
	Closed
)

// String is the state's name.
func (s State) String() string {
	switch s {
	case Connecting:
		return "connecting"
	case Online:
		return "online"
	case Limited:
		return "limited"
	case NeedsLogin:
		return "needs login"
	case Failed:
		return "failed"
	case Closed:
		return "closed"
	}
	return "unknown"
}

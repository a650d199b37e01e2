package transports

import (
	"context"
	"encoding/json"
	"time"
)

// Network is one kind of network, such as Slack: the one required contract together
// with Client. Everything else is optional and declared in Info.Caps.
type Network interface {
	// Info tells the name and what this network can do. It does not change at run time.
	Info() Info
	// LoginFlows lists the ways to link a login; the first is the default.
	LoginFlows() []LoginFlow
	// StartLogin begins one of them. previous is the login to relink, or nil: a
	// relink keeps the login's ID, and must refuse another person's credentials.
	StartLogin(ctx context.Context, flow string, previous *Login) (LoginProcess, error)
	// Open connects a login and returns once the network has accepted it. The
	// client lives until Close or ctx ends; it reconnects by itself and tells how it
	// fares by sink.State. An error of class NeedsLogin, Refused or Bug is final.
	Open(ctx context.Context, login Login, sink Sink) (Client, error)
}

// Info describes a network to the bridge and to people.
type Info struct {
	Kind  string // "slack": the config section, the key in the store
	Name  string // "Slack": for people
	Short string // localpart of the default domain, "slack" in slack.example.org
	Type  string // service discovery's type in category gateway, such as "slack", "discord", "irc"
	Caps  Caps
	// MaxText is the longest text of one message in characters (0: no limit); the bridge splits.
	MaxText int
	// MaxEdit is the longest text of an edit where that is less than MaxText.
	MaxEdit int
	// EditWindow is for how long a message may be edited (0: for ever).
	EditWindow time.Duration
}

// Login is a linked account on a network, as the bridge keeps it.
type Login struct {
	ID   LoginID
	User UserID // who this login is on the network
	Name string // what to call it: "ann at Acme"
	// Secret is the network's own credentials, sealed by the bridge at rest and never logged.
	Secret []byte
	// State is what the client asked to have kept (Sink.Save), such as a resume token; not secret.
	State json.RawMessage
}

// String keeps secrets out of logs.
func (l Login) String() string { return string(l.ID) + " (" + l.Name + ")" }

// GoString keeps secrets out of %#v.
func (l Login) GoString() string { return l.String() }

// LoginFlow is one way to link a login.
type LoginFlow struct {
	ID   string // "token"
	Name string // "Paste the app's tokens"
	Help string // what the person needs before they start
}

// LoginProcess is a dialogue that ends with a login.
type LoginProcess interface {
	// Next takes the answers to the last step (nil at first) and returns the next one. An
	// error of class Refused has a text for the person, who may answer again.
	Next(ctx context.Context, answers map[string]string) (Step, error)
	// Cancel frees what the dialogue holds. It may be called at any time, also after Done.
	Cancel()
}

// Step is what a login wants next. Exactly one of Form, Browser, QR, Code, Wait and Done is set.
type Step struct {
	Text    string  // shown above
	Form    []Field // ask these
	Browser string  // open this URL, come back and answer with nothing
	QR      string  // scan this text
	Code    string  // enter this code at the network
	Wait    bool    // nothing to do but to ask again
	Done    *Login
}

// Field is one thing that a login asks for.
type Field struct {
	Key      string
	Label    string
	Help     string
	Secret   bool // shown as text-private, never logged
	Optional bool
	Default  string
	Choices  []string // where not empty, one of these
}

// Sink is what a client gives its events to. Its methods may be called from any goroutine.
type Sink interface {
	// Deliver returns once the event is durable (typing and presence: once it was taken),
	// so that the client may then acknowledge it to the network. It may be called again
	// with the same event: the bridge drops what it has seen.
	Deliver(ctx context.Context, event Event) error
	// State tells how the client fares; cause is nil when it fares well. Online after a
	// gap (a reconnect that did not resume) is followed by Resynced. A client that is not
	// connected yet when Open returns has said Connecting before: only once it is Online does
	// the bridge ask the Historian. One that has said nothing is taken to be online.
	State(state State, cause error)
	// Resynced tells that the client is online again and may have missed events since its
	// last Online: the bridge then asks the Historian for what came since the last message
	// that it knows of each room. A client that resumed without loss does not call it.
	//
	// With rooms named, it tells that something may have been missed in those alone, such as an
	// event that the client could not make sense of for the moment. What comes after the call
	// stays behind what is read then.
	Resynced(rooms ...RoomID)
	// Save keeps the client's own resume state (Login.State) for the next Open. It
	// is written with the events delivered before it, never earlier.
	Save(state json.RawMessage)
	// Rotate replaces the login's secret, durably, before it returns: for networks whose
	// tokens are used once.
	Rotate(ctx context.Context, secret []byte) error
}

// Poster is what a Sink may be too: Post takes an event without waiting, in the order of the
// calls, and done is called once it is durable, or with the error. done must not block.
// Post itself waits while too much is on its way.
type Poster interface {
	Post(ctx context.Context, event Event, done func(error))
}

// Post gives an event to a sink the fastest way that it has.
func Post(ctx context.Context, sink Sink, event Event, done func(error)) {
	if p, ok := sink.(Poster); ok {
		p.Post(ctx, event, done)
		return
	}
	done(sink.Deliver(ctx, event))
}

// Noticer is what a Sink may be too: Notice tells the login's person what they should see to, such
// as a permission that the login lacks, while all else goes on. The same text under the same
// key is told once as long as the login exists and the process runs. It does not wait.
type Noticer interface {
	Notice(key, text string)
}

// Notice tells the login's person something, where the sink can.
func Notice(sink Sink, key, text string) {
	if n, ok := sink.(Noticer); ok {
		n.Notice(key, text)
	}
}

// State is how a client fares.
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

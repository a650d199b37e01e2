package transports

import (
	"context"
	"encoding/json"
	"time"
)

// Network is one kind of network, such as Slack: the one required contract together
// with Session. Everything else is optional and declared in Info.Caps.
type Network interface {
	// Info tells the name and what this network can do. It does not change at run time.
	Info() Info
	// Logins lists the ways to link an account; the first is the default.
	Logins() []LoginFlow
	// StartLogin begins one of them. previous is the account to relink, or nil: a
	// relink keeps the account's ID, and must refuse another person's credentials.
	StartLogin(ctx context.Context, flow string, previous *Account) (Login, error)
	// Open connects an account and returns once the network has accepted it. The
	// session lives until Close or ctx ends; it reconnects by itself and tells how it
	// fares by sink.State. An error of class NeedsLogin, Refused or Bug is final.
	Open(ctx context.Context, account Account, sink Sink) (Session, error)
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

// Account is one linked account as the bridge keeps it.
type Account struct {
	ID   AccountID
	User UserID // who this account is on the network
	Name string // what to call it: "ann at Acme"
	// Secret is the network's own credentials, sealed by the bridge at rest and never logged.
	Secret []byte
	// State is what the session asked to have kept (Sink.Save), such as a resume token; not secret.
	State json.RawMessage
}

// String keeps secrets out of logs.
func (a Account) String() string { return string(a.ID) + " (" + a.Name + ")" }

// GoString keeps secrets out of %#v.
func (a Account) GoString() string { return a.String() }

// LoginFlow is one way to link an account.
type LoginFlow struct {
	ID   string // "token"
	Name string // "Paste the app's tokens"
	Help string // what the person needs before they start
}

// Login is a dialogue that ends with an account.
type Login interface {
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
	Done    *Account
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

// Sink is what a session gives its events to. Its methods may be called from any goroutine.
type Sink interface {
	// Deliver returns once the event is durable (typing and presence: once it was taken),
	// so that the session may then acknowledge it to the network. It may be called again
	// with the same event: the bridge drops what it has seen.
	Deliver(ctx context.Context, event Event) error
	// State tells how the session fares; cause is nil when it fares well. Online after a
	// gap (a reconnect that did not resume) is followed by Resynced. A session that is not
	// connected yet when Open returns has said Connecting before: only once it is Online does
	// the bridge ask the Historian. One that has said nothing is taken to be online.
	State(state State, cause error)
	// Resynced tells that the session is online again and may have missed events since its
	// last Online: the bridge then asks the Historian for what came since the last message
	// that it knows of each room. A session that resumed without loss does not call it.
	//
	// With rooms named, it tells that something may have been missed in those alone, such as an
	// event that the session could not make sense of for the moment. What comes after the call
	// stays behind what is read then.
	Resynced(rooms ...RoomID)
	// Save keeps the session's own resume state (Account.State) for the next Open. It
	// is written with the events delivered before it, never earlier.
	Save(state json.RawMessage)
	// Rotate replaces the account's secret, durably, before it returns: for networks whose
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

// Noticer is what a Sink may be too: Notice tells the account's person what they should see to, such
// as a permission that the account lacks, while all else goes on. The same text under the same
// key is told once as long as the account is linked and the process runs. It does not wait.
type Noticer interface {
	Notice(key, text string)
}

// Notice tells the account's person something, where the sink can.
func Notice(sink Sink, key, text string) {
	if n, ok := sink.(Noticer); ok {
		n.Notice(key, text)
	}
}

// State is how a session fares.
type State int

// The states of a session.
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

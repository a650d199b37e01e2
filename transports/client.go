package transports

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Client is an open connection of a login. All methods may be called from any goroutine;
// the bridge calls Send, Edit, Delete, React and Apply of one room in order, one at a time.
type Client interface {
	// Send writes a message and returns its id or ids.
	Send(ctx context.Context, m Outgoing) (Sent, error)
	// Room describes a room that this login can see.
	Room(ctx context.Context, id RoomID) (RoomInfo, error)
	// Close ends the connection and returns when all its goroutines have ended. A client
	// that can be resumed later leaves the network's side open.
	Close(ctx context.Context) error
}

// Outgoing is a message on its way to the network.
type Outgoing struct {
	Room RoomID
	// ClientID is our id of this message: the same at every attempt. The client hands it to the
	// network as nonce where there is one, so that a repeated call makes no second message.
	ClientID string
	// Attempt counts from 1. From 2 on an earlier attempt may have succeeded without our
	// knowing: where the network has no nonce, the client looks for the message first. It
	// stays 1 where Caps.Repeatable is not declared.
	Attempt int
	// Since is when the first attempt was made, by our clock.
	Since time.Time
	Text  richtext.Text
	Files []OutgoingFile // within Limits.Files
	Steps Steps          // of a message with files
	// Known reports whether the bridge has a message's id already; nil where that is not known. A
	// client that looks for the message of an earlier attempt passes over those.
	Known func(MessageID) bool `json:"-"`
	// Author is whose message this is where the login speaks for somebody else.
	Author  *Author
	ReplyTo MessageID
	// Answered is the message of ReplyTo in words, for a network that has no replies; nil where nothing is known of it.
	Answered *Answered
	Thread   MessageID
	Me       bool // a /me message
}

// OutgoingFile is a file on its way to the network. It is read when the client asks for it, and as
// often as it asks.
type OutgoingFile struct {
	Name string
	MIME string
	Size int64 // bytes; the reader yields exactly so many
	Alt  string
	Kind FileKind
	// Spoiler is set where it is to be shown only to those who ask for it.
	Spoiler bool
	Open    func(ctx context.Context) (io.ReadCloser, error) `json:"-"`
}

// Steps is what a client has kept of a call that takes several steps, so that a later attempt goes on from there.
type Steps struct {
	// Done is what Save was given last, at whatever attempt; "" where it was not called.
	Done string
	// Save keeps a step. It returns once that is durable.
	Save func(ctx context.Context, done string) error `json:"-"`
}

// ErrFile marks the error of a Send that was refused because of its files, with nothing of the message written: the bridge sends the text
// with the addresses of the files instead.
var ErrFile = errors.New("the files cannot be sent")

// Author is the name and picture under which a login may send messages for somebody else.
type Author struct {
	Name      string
	AvatarURL string
}

// Answered is a message that is answered.
type Answered struct {
	Author string // name; "" where it is not known
	Text   string // the beginning
}

// Quotation is the message as a quotation.
func (a Answered) Quotation() richtext.Text {
	text := richtext.FromPlain(a.Text)
	if a.Author != "" {
		text = append(richtext.Text{{Kind: richtext.Bold, Children: richtext.FromPlain(a.Author)}, {Text: ": "}}, text...)
	}
	return richtext.Text{{Kind: richtext.Quote, Children: text}}
}

// Sent is what the network made of an Outgoing.
type Sent struct {
	ID MessageID
	At time.Time
	// More are further messages that the text became.
	More []MessageID
	// Pending means that the network has taken the message without an id: the id comes with its
	// echo, an Event whose Nonce is the ClientID.
	Pending bool
	// Earlier is set where an earlier attempt had written the message.
	Earlier bool
}

// Editor changes messages of this login.
type Editor interface {
	// Edit gives a message the text of m. rest is what of it did not fit beside what the client writes before a
	// text, such as the name of its author; the bridge puts it into the next message.
	Edit(ctx context.Context, message MessageRef, m Outgoing) (rest richtext.Text, err error)
}

// Deleter removes messages.
type Deleter interface {
	Delete(ctx context.Context, message MessageRef) error
}

// Reactor sets the login's own reactions to a message.
type Reactor interface {
	React(ctx context.Context, message MessageRef, change ReactionChange) error
}

// ReactionChange is a change of a person's reactions to one message, as a difference and as the whole set:
// Unicode emoji or the network's names in colons.
type ReactionChange struct {
	Add, Remove []string
	All         []string // what is set when the change is made
}

// Typer means that the owner of the login writes.
type Typer interface {
	Typing(ctx context.Context, room RoomID, typing Typing) error
}

// Reader moves the read mark of the login.
type Reader interface {
	MarkRead(ctx context.Context, room RoomID, mark Read) error
}

// Historian reads past messages. Keys are those that the live events have, and messages have their
// edits in them already.
type Historian interface {
	History(ctx context.Context, request HistoryRequest) (HistoryPage, error)
}

// HistoryRequest asks for at most Limit events after or before a message, or for the newest ones.
type HistoryRequest struct {
	Room   RoomID
	After  MessageID // those after it, the oldest of them
	Before MessageID // those before it, the newest of them; only where After is ""
	Limit  int
}

// HistoryPage is some of the past, the oldest event first.
type HistoryPage struct {
	Events []Event
	More   bool // there are further ones in the direction that was asked for
}

// Relayer reports whether Outgoing.Author is obeyed in a room.
type Relayer interface {
	CanRelay(ctx context.Context, room RoomID) bool
}

// MediaOpener reads a file of the network by the reference that File.Ref and UserInfo.AvatarRef hold.
type MediaOpener interface {
	OpenFile(ctx context.Context, ref string) (io.ReadCloser, File, error)
}

// Commander runs commands of the network's own, such as joining an IRC channel by its name or voting in a
// poll. They are offered in the chat with the gateway and as ad-hoc commands.
type Commander interface {
	Commands(ctx context.Context) ([]Command, error)
	RunCommand(ctx context.Context, name string, answers map[string]string) (CommandResult, error)
}

// Command is one of a network's commands.
type Command struct {
	Name   string // one word in lower case
	Title  string
	Help   string
	Fields []Field
}

// CommandResult is what a command has come to.
type CommandResult struct {
	Text string
	Room RoomID // that it has opened or found
}

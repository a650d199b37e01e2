package transports

import (
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/transports/richtext"
)

// Caps declares what a network's clients can do. A bool of MessageCaps, RoomCaps and PeopleCaps that names an
// interface stands for that optional interface of Client: declared and absent, or present and undeclared,
// is an error of CheckClient.
type Caps struct {
	MessageCaps
	RoomCaps
	PeopleCaps
	Limits
	// Changes are those that Changer.Apply takes; none where there is no Changer.
	Changes []ChangeKind
}

// MessageCaps are about messages.
type MessageCaps struct {
	Edit   bool // Editor
	Delete bool // Deleter
	// Moderate declares that Deleter removes messages of others too, where the network gives the login that right.
	Moderate bool
	React    bool // Reactor
	Typing   bool // Typer
	Read     bool // Reader
	History  bool // Historian
	Relay    bool // Relayer
	Media    bool // MediaOpener
	Reply    bool // Outgoing.ReplyTo or Outgoing.Answered is shown
	Thread   bool // Outgoing.Thread is kept
	// MentionAll declares that a node of richtext.All with an ID alerts everybody in a room, where the network lets the login do so. Where it
	// does not, the client sends what the author wrote, richtext.Text.Unasked.
	MentionAll bool
	// CatchesUp declares that the clients deliver by themselves what happened while they were away,
	// so that the bridge reads the history of new rooms only.
	CatchesUp bool
	// Repeatable declares that a repeated Send with the same ClientID makes no second message. Without
	// it a call whose outcome is unknown is not made again.
	Repeatable bool
}

// RoomCaps are about rooms.
type RoomCaps struct {
	Directory bool // Directory
	Direct    bool // DirectOpener
	Members   bool // MemberLister
	Spaces    bool // SpaceLister
	Create    bool // GroupCreator
	Narrow    bool // Narrower
}

// PeopleCaps are about people, and about what is asked of the network outside of rooms.
type PeopleCaps struct {
	Presence bool // Presencer
	Profiles bool // Profiler
	Resolve  bool // Resolver
	Search   bool // Searcher
	Commands bool // Commander
}

// Limits bound what clients take. A zero is no limit, except in Files.
type Limits struct {
	// MaxText is the longest text of one message in characters; the bridge splits.
	MaxText int
	// Length counts the characters of a text as the network does: with its markup, and escaped. Nil
	// counts those of the text as XMPP shows it.
	Length func(richtext.Text) int
	// MaxEdit is the same for an edit, where it is less than MaxText.
	MaxEdit int
	// MaxEdits is how often a message may be edited.
	MaxEdits     int
	EditWindow   time.Duration // for how long after it was sent
	DeleteWindow time.Duration
	// MaxReactions is how many one person may set on one message.
	MaxReactions int
	// Reactions are those that may be set; any where it is empty.
	Reactions []string
	// Files bounds the files of a message; without a size no files are taken.
	Files FileLimits
}

// FileLimits bound the files of a message.
type FileLimits struct {
	Count int
	Size  int64    // bytes of each
	Types []string // MIME types, "image/*" for all of a kind; any where it is empty
}

// Narrower narrows a network's capabilities for one room, and may answer otherwise later. It answers
// from memory. What the network does not declare cannot be added.
type Narrower interface {
	Narrow(room RoomID, caps Caps) Caps
}

// Without returns the capabilities without a change, for Narrower.
func (c Caps) Without(kind ChangeKind) Caps {
	c.Changes = slices.DeleteFunc(slices.Clone(c.Changes), func(k ChangeKind) bool { return k == kind })
	return c
}

// CanChange reports whether a change is among those declared.
func (c Caps) CanChange(kind ChangeKind) bool {
	for _, k := range c.Changes {
		if k == kind {
			return true
		}
	}
	return false
}

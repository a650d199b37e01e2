package tables

import (
	"slices"
	"time"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
)

// Batch is all that one step of a conversation changes, written in one transaction.
type Batch struct {
	Inbox    InboxBatch
	Outbox   OutboxBatch
	Messages MessageBatch
	Rooms    RoomBatch
	Links    LinkBatch
	Archive  []Archived
	// Sent are messages of one account of the server that are archived for it: where the server has an archive, and
	// leaves that to the gateway.
	Sent []Sent
}

// Sent is a message of an account of the server, whose Entry is set.
type Sent struct {
	At     time.Time
	Stanza *stanza.Stanza
}

// InboxBatch changes events of the inbox.
type InboxBatch struct {
	Events   []EventUpdate
	Progress []Progress
}

// OutboxBatch changes calls of the outbox.
type OutboxBatch struct {
	Add    []Call
	Update []Call // by Seq
}

// MessageBatch changes what is known of messages.
type MessageBatch struct {
	Mappings         []Mapping
	MediaReplaced    []Deletion // messages whose files are removed before Media is added
	Media            []Media    // added where they are not there yet
	Deleted          []Deletion
	Echoes           []Echo
	EchoesUsed       []Echo // removed
	Reactions        []Reaction
	ReactionsRemoved []Reaction
}

// RoomBatch changes rooms and who is in them.
type RoomBatch struct {
	Rooms       []Room  // by ID, except Last and Backfilled
	Backfilled  []int64 // whose history was read
	Visible     []Visibility
	Hidden      []Visibility // no longer visible; Login and Room
	Puppets     []transports.UserInfo
	Contacts    []Contact // Pushed is not written
	Members     []Member
	MembersGone []Member
}

// Append puts another batch behind this one.
func (b *Batch) Append(o *Batch) {
	b.Inbox.Events = append(b.Inbox.Events, o.Inbox.Events...)
	b.Inbox.Progress = append(b.Inbox.Progress, o.Inbox.Progress...)
	b.Outbox.Add = append(b.Outbox.Add, o.Outbox.Add...)
	b.Outbox.Update = append(b.Outbox.Update, o.Outbox.Update...)
	b.Messages.append(&o.Messages)
	b.Rooms.append(&o.Rooms)
	b.Links.Messages = append(b.Links.Messages, o.Links.Messages...)
	b.Links.Reactions = append(b.Links.Reactions, o.Links.Reactions...)
	b.Archive = append(b.Archive, o.Archive...)
	b.Sent = append(b.Sent, o.Sent...)
}

// Empty reports whether nothing is changed.
func (b *MessageBatch) Empty() bool {
	return len(b.Mappings)+len(b.MediaReplaced)+len(b.Media)+len(b.Deleted)+len(b.Echoes)+len(b.EchoesUsed)+len(b.Reactions)+len(b.ReactionsRemoved) == 0
}

func (b *MessageBatch) append(o *MessageBatch) {
	b.Mappings = append(b.Mappings, o.Mappings...)
	for _, d := range o.MediaReplaced {
		b.Media = slices.DeleteFunc(b.Media, d.has)
	}
	b.MediaReplaced = append(b.MediaReplaced, o.MediaReplaced...)
	b.Media = append(b.Media, o.Media...)
	b.Deleted = append(b.Deleted, o.Deleted...)
	b.Echoes = append(b.Echoes, o.Echoes...)
	b.EchoesUsed = append(b.EchoesUsed, o.EchoesUsed...)
	b.Reactions, b.ReactionsRemoved = lastOf(b.Reactions, b.ReactionsRemoved, o.Reactions, o.ReactionsRemoved)
}

func (b *RoomBatch) append(o *RoomBatch) {
	b.Rooms = append(b.Rooms, o.Rooms...)
	b.Backfilled = append(b.Backfilled, o.Backfilled...)
	for _, v := range o.Visible {
		b.Hidden = slices.DeleteFunc(b.Hidden, v.same)
	}
	for _, v := range o.Hidden {
		b.Visible = slices.DeleteFunc(b.Visible, v.same)
	}
	b.Visible = append(b.Visible, o.Visible...)
	b.Hidden = append(b.Hidden, o.Hidden...)
	b.Puppets = append(b.Puppets, o.Puppets...)
	b.Contacts = append(b.Contacts, o.Contacts...)
	b.Members, b.MembersGone = lastOf(b.Members, b.MembersGone, o.Members, o.MembersGone)
}

// lastOf puts rows that are added and removed behind earlier ones, of which it leaves out those that are changed again:
// all that is added is written before all that is removed.
func lastOf[T comparable](added, removed, add, remove []T) (allAdded, allRemoved []T) {
	for _, r := range add {
		removed = slices.DeleteFunc(removed, func(o T) bool { return o == r })
	}
	for _, r := range remove {
		added = slices.DeleteFunc(added, func(o T) bool { return o == r })
	}
	return append(added, add...), append(removed, remove...)
}

// same reports whether two rows are about one login and room.
func (v Visibility) same(o Visibility) bool { return v.Login == o.Login && v.Room == o.Room }

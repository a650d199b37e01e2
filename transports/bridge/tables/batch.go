package tables

import "github.com/dragoman-im/dragoman/transports"

// Batch is all that one step of a conversation changes, written in one transaction.
type Batch struct {
	Inbox    InboxBatch
	Outbox   OutboxBatch
	Messages MessageBatch
	Rooms    RoomBatch
	Archive  []Archived
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
	b.Archive = append(b.Archive, o.Archive...)
}

func (b *MessageBatch) append(o *MessageBatch) {
	b.Mappings = append(b.Mappings, o.Mappings...)
	b.Deleted = append(b.Deleted, o.Deleted...)
	b.Echoes = append(b.Echoes, o.Echoes...)
	b.EchoesUsed = append(b.EchoesUsed, o.EchoesUsed...)
	b.Reactions = append(b.Reactions, o.Reactions...)
	b.ReactionsRemoved = append(b.ReactionsRemoved, o.ReactionsRemoved...)
}

func (b *RoomBatch) append(o *RoomBatch) {
	b.Rooms = append(b.Rooms, o.Rooms...)
	b.Backfilled = append(b.Backfilled, o.Backfilled...)
	b.Visible = append(b.Visible, o.Visible...)
	b.Hidden = append(b.Hidden, o.Hidden...)
	b.Puppets = append(b.Puppets, o.Puppets...)
	b.Members = append(b.Members, o.Members...)
	b.MembersGone = append(b.MembersGone, o.MembersGone...)
}

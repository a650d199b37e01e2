package links

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/mailbox"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/outbox"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Rows has the rows of links.
type Rows interface {
	Links(ctx context.Context) ([]tables.Link, error)
	AddLink(ctx context.Context, l tables.Link) (row tables.Link, added bool, err error)
	DropLink(ctx context.Context, id int64) error
	SetLinkCause(ctx context.Context, id int64, cause string) error
	LinkProgress(ctx context.Context, l tables.Link, list []tables.LinkMessage) error
}

// Messages has the ids of messages on both sides, and the reactions of people of linked rooms.
type Messages interface {
	LinkedEntry(ctx context.Context, link int64, id string) (tables.LinkMessage, bool, error)
	LinkedThere(ctx context.Context, link int64, id, author string) (tables.LinkMessage, bool, error)
	LinkedOf(ctx context.Context, link int64, there, nick string) (tables.LinkMessage, bool, error)
	LinkReactions(ctx context.Context, link int64, entry string) (map[string][]string, error)
}

// Channels has the channels with their archives and members.
type Channels interface {
	RoomByID(ctx context.Context, id int64) (tables.Room, bool, error)
	RoomMembers(ctx context.Context, room int64, limit int) ([]transports.UserInfo, error)
	ArchiveAfter(ctx context.Context, room, seq int64, limit int) ([]tables.Archived, error)
}

// Signer signs what a message carries between linked rooms.
type Signer interface {
	Sign(text string) string
	Verify(text, signed string) bool
}

// Conversations are the conversations of the channels.
type Conversations interface {
	// TakeLinked queues a message of a linked room; false where too many wait.
	TakeLinked(room int64, m outbox.Linked) bool
}

// Links are the linked rooms of a gateway.
type Links struct {
	env           *gateway.Env
	store         Rows
	messages      Messages
	channels      Channels
	logins        *logins.Registry
	people        *puppets.Directory
	conversations Conversations
	address       convert.Addresses
	signer        Signer
	claims        claims
	boxes         *mailbox.Group[int64, *link]

	mu sync.Mutex
	index
}

// index has the links in memory. Links.mu guards it.
type index struct {
	rows map[int64]tables.Link
	of   map[int64][]int64 // links of a channel, by the row of its room
	due  map[int64]bool    // links that are read again in a while
}

// Options is what Links is made of.
type Options struct {
	Env           *gateway.Env
	Store         *tables.Store
	Logins        *logins.Registry
	People        *puppets.Directory
	Conversations Conversations
	Signer        Signer
}

// New makes the linked rooms of a gateway.
func New(o Options) *Links {
	return &Links{
		env: o.Env, store: o.Store, messages: o.Store, channels: o.Store, logins: o.Logins, people: o.People,
		conversations: o.Conversations, signer: o.Signer, address: convert.Addresses{Domain: o.Env.Domain},
		index: index{rows: map[int64]tables.Link{}, of: map[int64][]int64{}, due: map[int64]bool{}},
	}
}

// What Work of a link may have to look at.
const (
	archived  mailbox.Marks = 1 << iota // the archive of the channel
	described                           // its row
)

// maxWaiting is how many stanzas of a linked room may wait. Where there are more the room is entered and read again.
const maxWaiting = 1000

// Start reads the links and enters the rooms, until ctx ends or Stop is called.
func (x *Links) Start(ctx context.Context) error {
	x.boxes = mailbox.New(ctx, mailbox.Options[int64, *link]{
		New:        func(id int64) *link { return newLink(x, id) },
		Load:       func(ctx context.Context, _ int64, l *link) error { return l.load(ctx) },
		Work:       func(ctx context.Context, l *link, look mailbox.Marks) { l.work(ctx, look) },
		Disposable: (*link).disposable,
		Limit:      maxWaiting,
		Name:       "linked room", Log: x.env.Log,
		Panicked: func(int64) { x.env.Counters.Panics.Add(1) },
	})
	list, err := x.store.Links(ctx)
	if err != nil {
		return err
	}
	for _, row := range list {
		x.put(row)
		if row.Cause == "" {
			x.enqueue(row.ID, (*link).connect)
		}
	}
	return nil
}

// Stop leaves the rooms.
func (x *Links) Stop() {
	if x.boxes == nil {
		return
	}
	for _, id := range x.boxes.Keys() {
		x.enqueue(id, func(l *link, _ context.Context) { l.leave("") })
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	x.boxes.Stop(ctx)
}

func (x *Links) put(row tables.Link) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if _, known := x.rows[row.ID]; !known {
		x.of[row.Room] = append(x.of[row.Room], row.ID)
	}
	x.rows[row.ID] = row
}

func (x *Links) get(id int64) (tables.Link, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	row, ok := x.rows[id]
	return row, ok
}

func (x *Links) remove(id int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	row := x.rows[id]
	delete(x.rows, id)
	rest := x.of[row.Room][:0:0]
	for _, other := range x.of[row.Room] {
		if other != id {
			rest = append(rest, other)
		}
	}
	if x.of[row.Room] = rest; len(rest) == 0 {
		delete(x.of, row.Room)
	}
}

// enqueue queues a job of the gateway's own for a link.
func (x *Links) enqueue(id int64, job func(*link, context.Context)) {
	if err := x.boxes.EnqueueAlways(id, func(ctx context.Context, l *link) { job(l, ctx) }); err != nil {
		x.env.Log.Debug("a job of a linked room is dropped", "link", id, "error", err)
	}
}

// Archived has the links of a channel look at its archive. It does not block.
func (x *Links) Archived(room int64) { x.wake(room, archived) }

// Described has the links of a channel look at its name and topic. It does not block.
func (x *Links) Described(room int64) { x.wake(room, described) }

func (x *Links) wake(room int64, look mailbox.Marks) {
	x.mu.Lock()
	list := x.of[room]
	x.mu.Unlock()
	for _, id := range list {
		_ = x.boxes.Wake(id, look) // where the gateway stops, the next start looks
	}
}

// resourcePrefix is what the resource of an occupant of a linked room begins with; the number of the link is behind it.
const resourcePrefix = "link-"

// linkOf is the number of the link whose occupant an address is.
func linkOf(j jid.JID) (id int64, ok bool) {
	digits, ok := strings.CutPrefix(j.Resource(), resourcePrefix)
	if !ok {
		return 0, false
	}
	id, err := strconv.ParseInt(digits, 10, 64)
	return id, err == nil
}

// Handle takes a stanza of a linked room to one of its occupants; false where it is none.
func (x *Links) Handle(st *stanza.Stanza) bool {
	id, ok := linkOf(st.To)
	if !ok {
		return false
	}
	row, ok := x.get(id)
	if !ok || st.From.Bare() != row.Address {
		return false
	}
	if person := st.To.Local() != ""; person && !concernsPerson(st) {
		return true // the gateway itself has received it too
	}
	err := x.boxes.Enqueue(id, func(ctx context.Context, l *link) { l.handle(ctx, st) })
	if errors.Is(err, mailbox.ErrFull) {
		x.again(id)
	}
	return true
}

// concernsPerson reports whether a stanza has to do with one occupant only.
func concernsPerson(st *stanza.Stanza) bool {
	switch st.Kind {
	case stanza.Message:
		return st.Type != stanza.TypeGroupchat
	case stanza.Presence:
		return st.Type == stanza.TypeError || st.MayHave(convert.NSMUCUser, "status")
	}
	return true
}

// again has a room entered and read again in a while, once for however many stanzas ask for it meanwhile.
func (x *Links) again(id int64) {
	x.mu.Lock()
	due := x.due[id]
	x.due[id] = true
	x.mu.Unlock()
	if due {
		return
	}
	_, err := x.boxes.EnqueueAfter(id, gateway.RetryMin, func(ctx context.Context, l *link) {
		x.mu.Lock()
		delete(x.due, id)
		x.mu.Unlock()
		l.connect(ctx)
	})
	if err != nil {
		x.env.Log.Debug("a linked room is not read again", "link", id, "error", err)
	}
}

// Refused implements outbox.Links: the author of a message is told that the channel did not get it.
func (x *Links) Refused(id int64, nick string, e *stanza.Error) {
	x.enqueue(id, func(l *link, _ context.Context) { l.refuse(nick, e) })
}

// Notice implements outbox.Links.
func (x *Links) Notice(id int64, nick, text string) {
	x.enqueue(id, func(l *link, _ context.Context) { l.notify(nick, text) })
}

// ServerBack enters all rooms again, after the server could not be reached. It may be called before Start.
func (x *Links) ServerBack() {
	x.mu.Lock()
	defer x.mu.Unlock()
	for id, row := range x.rows { // there are none before Start
		if row.Cause == "" {
			_ = x.boxes.EnqueueAlways(id, func(ctx context.Context, l *link) { l.connect(ctx) })
		}
	}
}

// Forget leaves the rooms of a login that is removed; its rows are gone.
func (x *Links) Forget(login transports.LoginID) {
	x.mu.Lock()
	var gone []int64
	for id, row := range x.rows {
		if row.Login == login {
			gone = append(gone, id)
		}
	}
	x.mu.Unlock()
	for _, id := range gone {
		x.enqueue(id, func(l *link, _ context.Context) { l.leave("The account was unlinked."); l.gone = true })
		x.remove(id)
	}
}

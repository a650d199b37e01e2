package outbox

import (
	"context"
	"encoding/json"

	"github.com/dragoman-im/dragoman/core/archive"
	"github.com/dragoman-im/dragoman/core/jid"
	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/rooms"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Messages knows the messages of both sides.
type Messages interface {
	// ByNetworkID are the stanzas of a message of the network, the first one first.
	ByNetworkID(ctx context.Context, room int64, net transports.MessageID) ([]tables.Mapping, error)
	// ByStanzaID are the parts of the message that an id of a stanza names, preferably one of that sender.
	ByStanzaID(ctx context.Context, room int64, id, sender string) ([]tables.Mapping, error)
	// Reactions are one person's reactions to a message.
	Reactions(ctx context.Context, room int64, net transports.MessageID, user transports.UserID) ([]string, error)
}

// Calls keeps what the network is asked to do.
type Calls interface {
	// FindCall finds the call of a stanza that was accepted before.
	FindCall(ctx context.Context, room int64, sender, origin string) (tables.Call, bool, error)
	// CallByStanza finds a call that waits by an id of its stanza, preferably one of that sender.
	CallByStanza(ctx context.Context, room int64, id, sender string) (tables.Call, bool, error)
	// MessageCall finds the call of a message of a sender by its id in the archive; of one that is done it has the files only.
	MessageCall(ctx context.Context, room int64, sender, stanza string) (tables.Call, bool, error)
	// PendingCalls are those that wait, in order.
	PendingCalls(ctx context.Context, room int64, limit int) ([]tables.Call, error)
}

// Archive has the messages of rooms.
type Archive interface {
	ReadArchive(ctx context.Context, room int64, f archive.Filter, p archive.Page) (tables.ArchivePage, error)
}

// Nicks knows the names of those who write.
type Nicks interface {
	NickOf(who jid.JID) string
	// NameOf is the name of a person of the network.
	NameOf(ctx context.Context, user transports.UserID) string
}

// Backfill reads what may have been missed.
type Backfill interface {
	Found(l *logins.Login, rooms ...tables.Room)
}

// Outbox is what the queues of a gateway share.
type Outbox struct {
	env      *gateway.Env
	address  convert.Addresses
	nonces   convert.Nonces
	parser   convert.Parser
	messages Messages
	calls    Calls
	archive  Archive
	logins   *logins.Registry
	nicks    Nicks
	backfill Backfill
	links    Links
	files    Files // nil where they are not read
	echoes   echoes
}

// New makes the outbox of a gateway.
func New(env *gateway.Env, store *tables.Store, registry *logins.Registry, nicks Nicks) *Outbox {
	return &Outbox{
		env: env, address: convert.Addresses{Domain: env.Domain}, parser: convert.Parser{Info: env.Info, MaxText: env.Settings.Text},
		messages: store, calls: store, archive: store, logins: registry, nicks: nicks,
	}
}

// Connect gives the parts that are built on this one.
func (o *Outbox) Connect(b Backfill, l Links) { o.backfill, o.links = b, l }

// SetFiles has the files of messages read with f. Without it messages have their addresses.
func (o *Outbox) SetFiles(f Files) { o.files = f }

// SetNonceKey has to be called before any call is made.
func (o *Outbox) SetNonceKey(key []byte) { o.nonces = convert.Nonces{Key: key} }

// Queue makes the queue of a conversation.
func (o *Outbox) Queue(c *conversation.Conversation, r *rooms.Room) *Queue {
	return &Queue{outbox: o, env: o.env, conv: c, room: r}
}

// Wake has the conversations go on whose calls wait for a login.
func Wake(list []tables.Backlog, login transports.LoginID, wake func(room int64)) {
	for _, b := range list {
		for _, id := range b.Logins {
			if id == login {
				wake(b.Room)
			}
		}
	}
}

// decode reads the request of a call; a call that is done has none.
func decode(c tables.Call) convert.Request {
	var r convert.Request
	_ = json.Unmarshal(c.Data, &r)
	r.Kind = convert.Kind(c.Kind)
	return r
}

// address is where messages of the conversation come from, and their type.
func (q *Queue) address() (from jid.JID, typ string, err error) {
	if q.conv.Direct() {
		from, err = q.outbox.address.Contact(q.conv.Row.Peer)
		return from, stanza.TypeChat, err
	}
	from, err = q.outbox.address.Room(q.conv.Row.Net)
	return from, stanza.TypeGroupchat, err
}

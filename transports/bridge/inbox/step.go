package inbox

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/dragoman-im/dragoman/core/stanza"
	"github.com/dragoman-im/dragoman/transports"
	"github.com/dragoman-im/dragoman/transports/bridge/conversation"
	"github.com/dragoman-im/dragoman/transports/bridge/convert"
	"github.com/dragoman-im/dragoman/transports/bridge/delivery"
	"github.com/dragoman-im/dragoman/transports/bridge/gateway"
	"github.com/dragoman-im/dragoman/transports/bridge/logins"
	"github.com/dragoman-im/dragoman/transports/bridge/media"
	"github.com/dragoman-im/dragoman/transports/bridge/puppets"
	"github.com/dragoman-im/dragoman/transports/bridge/tables"
)

// Processing is what the processors of a gateway share.
type Processing struct {
	env           *gateway.Env
	address       convert.Addresses
	messages      Messages
	parts         Parts
	reactors      Reactors
	inbox         *Inbox
	backfill      *Backfill
	conversations *conversation.Set
	logins        *logins.Registry
	people        *puppets.Directory
	roster        *puppets.Roster
	memberships   Memberships
	log           *delivery.Log
	links         *media.Links
}

// Memberships is notified of rooms that a login has come to or left, or that have changed.
type Memberships interface{ Changed(*logins.Login) }

// NewProcessing makes what the processors of a gateway share.
func NewProcessing(b *Backfill, people *puppets.Directory, roster *puppets.Roster, memberships Memberships, log *delivery.Log) *Processing {
	return &Processing{
		env: b.env, address: convert.Addresses{Domain: b.env.Domain}, messages: b.store, parts: b.store, reactors: b.store, inbox: b.inbox, backfill: b,
		conversations: b.conversations, logins: b.logins, people: people, roster: roster, memberships: memberships, log: log,
	}
}

// SetLinks has files get addresses of this server. Call it before any event is processed.
func (p *Processing) SetLinks(l *media.Links) { p.links = l }

// step is one event on its way from the inbox to stanzas.
type step struct {
	p   *Processor
	row tables.Event
	e   transports.Event
	err error         // of decoding
	all *tables.Batch // of the steps before, not committed yet
	b   tables.Batch  // of this one

	corrects string // stanza id of the message that is corrected

	deliveries []delivery.Message          // must reach the server even after a crash
	after      []func(ctx context.Context) // what is done once the batch is committed
}

// decode makes steps of rows.
func (p *Processor) decode(rows []tables.Event) []*step {
	steps := make([]*step, len(rows))
	for i, row := range rows {
		s := &step{p: p, row: row}
		s.e, s.err = decode(row)
		steps[i] = s
	}
	return steps
}

// people appends those whose names the step needs.
func (s *step) people(list []transports.UserID) []transports.UserID {
	list = append(list, s.e.Actor)
	switch b := s.e.Body.(type) {
	case transports.Member:
		if b.User.Name == "" && b.User.Handle == "" {
			list = append(list, b.User.ID)
		}
	case transports.Delete:
		list = append(list, b.By)
	case transports.Message:
		list = nameless(list, b.Text)
	case transports.Edit:
		list = nameless(list, b.Text)
	}
	return list
}

// run finds out what the event changes; a panic is its error.
func (s *step) run(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.p.env.Counters.Panics.Add(1)
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	if s.err != nil {
		return s.err
	}
	if err := s.dispatch(ctx); err != nil {
		return err
	}
	return s.learn(ctx)
}

func (s *step) dispatch(ctx context.Context) error {
	switch b := s.e.Body.(type) {
	case transports.Message:
		b.ID = convert.PartID(b.ID, b.Part)
		return s.message(ctx, b)
	case transports.Edit:
		b.ID = convert.PartID(b.ID, b.Part)
		return s.edit(ctx, b)
	case transports.Delete:
		return s.delete(ctx, b)
	case transports.Reactions:
		return s.reactions(ctx, b)
	case transports.Read:
		return s.read(ctx, b)
	case transports.Member:
		return s.member(ctx, b)
	case transports.RoomChanged:
		return s.roomChanged(ctx, b)
	case transports.RoomGone:
		return s.roomGone(b)
	case transports.Contact:
		return s.contact(b)
	case transports.Call:
		return s.say(ctx, s.stanzaID("call "+s.e.Key), false, convert.Call(b))
	case transports.Poll:
		return s.poll(ctx, b)
	case transports.Unreadable:
		return fmt.Errorf("values that cannot be read: %s", strings.Join(b.Values, ", "))
	case transports.Receipt, transports.PollVote: // XMPP has no equivalent
		return nil
	}
	return fmt.Errorf("an event of kind %q cannot be shown", s.row.Kind)
}

// finish writes down how far the event has come.
func (s *step) finish() {
	u := tables.EventUpdate{Seq: s.row.Seq, State: tables.EventDone}
	if len(s.deliveries) > 0 {
		u.State, u.Position = tables.EventReady, s.p.env.Next()
		u.Deliveries, _ = json.Marshal(s.deliveries)
	}
	s.b.Inbox.Events = append(s.b.Inbox.Events, u)
}

// fail drops what the step would have changed and puts the event aside.
func (s *step) fail(err error) {
	s.b, s.deliveries, s.after = tables.Batch{}, nil, nil
	s.b.Inbox.Events = []tables.EventUpdate{{Seq: s.row.Seq, State: tables.EventFailed, Error: err.Error()}}
}

// then does something once the step is durable.
func (s *step) then(f func(ctx context.Context)) { s.after = append(s.after, f) }

// linked are files of a message with addresses of this server.
func (s *step) linked(message transports.MessageID, files []transports.File) []transports.File {
	files, rows := s.p.links.Link(s.p.conv.ID, message, files)
	for i := range rows {
		rows[i].At = s.at()
	}
	s.b.Messages.Media = append(s.b.Messages.Media, rows...)
	return files
}

// learn keeps what an event says of its room: the network's id of a direct chat that began with
// the person, and that logins see the room.
func (s *step) learn(ctx context.Context) error {
	p := s.p
	if p.conv.Row.Net == "" && s.e.Room != "" && p.conv.Direct() {
		row := p.conv.Row
		row.Net = s.e.Room
		s.b.Rooms.Rooms = append(s.b.Rooms.Rooms, row)
		s.then(func(context.Context) { p.conv.Row.Net = row.Net })
	}
	switch s.e.Body.(type) {
	case transports.RoomGone, transports.RoomChanged, transports.Contact:
		return nil
	}
	if err := s.learnViewer(ctx, s.row.Login); err != nil {
		return err
	}
	for _, id := range s.e.SeenBy {
		if err := s.learnViewer(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (s *step) learnViewer(ctx context.Context, id transports.LoginID) error {
	p := s.p
	l := p.logins.ByID(id)
	if l == nil || p.room.KnowsViewer(id) {
		return nil
	}
	known, err := p.room.SeenBy(ctx, l.ID)
	if err != nil {
		return nil // the next event says it too
	}
	if !known {
		s.b.Rooms.Visible = append(s.b.Rooms.Visible, tables.Visibility{Login: l.ID, Room: p.conv.ID, Joined: true, Writable: true})
	}
	s.then(func(context.Context) {
		if p.room.KnowsViewer(l.ID) {
			return
		}
		p.room.AddViewer(l.ID)
		if !known && !p.conv.Direct() {
			p.env.Group.Go(func(ctx context.Context) { p.describe(ctx, l, s.e.Room) })
		}
	})
	return nil
}

// describe asks the network about a room that an event came from before it was listed.
func (p *Processing) describe(ctx context.Context, l *logins.Login, id transports.RoomID) {
	client := l.Client()
	if client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, gateway.LookupTimeout)
	defer cancel()
	info, err := client.Room(ctx, id)
	if err == nil && info.ID == id && info.Kind != transports.Direct {
		err = p.inbox.Deliver(ctx, l, transports.Event{
			Key: "described " + stanza.NewID(), Room: id, Kind: info.Kind, At: p.env.Now(), Body: transports.RoomChanged{Info: info},
		})
	}
	if err != nil {
		p.env.Log.Debug("describing a room", "room", id, "error", err)
	}
}

// byNetworkID finds the stanzas of a message, those of this batch among them.
func (s *step) byNetworkID(ctx context.Context, net transports.MessageID) ([]tables.Mapping, error) {
	rows, err := s.p.messages.ByNetworkID(ctx, s.p.conv.ID, net)
	if err != nil {
		return nil, err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, m := range b.Messages.Mappings {
			if m.Net == net {
				rows = append(rows, m)
			}
		}
		for i := range rows {
			rows[i].Deleted = rows[i].Deleted || deletes(b, rows[i].Net)
		}
	}
	return rows, nil
}

// byStanzaID finds the parts of the message that an id of a stanza names.
func (s *step) byStanzaID(ctx context.Context, id string) ([]tables.Mapping, error) {
	rows, err := s.p.messages.ByStanzaID(ctx, s.p.conv.ID, id, "")
	if err != nil {
		return nil, err
	}
	for _, b := range []*tables.Batch{s.all, &s.b} {
		for _, m := range b.Messages.Mappings {
			if m.Stanza == id || m.Origin == id {
				rows = append(rows, m)
			}
		}
	}
	return rows, nil
}

// deletes reports whether a batch marks a message as deleted.
func deletes(b *tables.Batch, net transports.MessageID) bool {
	for _, d := range b.Messages.Deleted {
		for _, id := range d.Net {
			if id == net {
				return true
			}
		}
	}
	return false
}

// local is the login that the event's actor is: the login that brought the event, or another user's. nil
// where the actor is nobody's here.
func (s *step) local() *logins.Login {
	if l := s.p.logins.ByID(s.row.Login); l != nil && s.e.Own && (s.e.Actor == "" || s.e.Actor == l.User) {
		return l
	}
	return s.p.logins.ByUser(s.e.Actor)
}

// ours reports whether the event may be the echo of a call.
func (s *step) ours() bool { return s.e.Own || s.p.logins.ByUser(s.e.Actor) != nil }
